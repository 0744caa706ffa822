import type { JSX } from "preact";
import { useCatalogue, useStore } from "../context";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import { measuresGap } from "./bins";

const WORDS = "Texts alone also measure their gap to images: add a foil, or centre each modality.";

/** Warns that images are compared with texts alone, and offers to centre each modality. */
export function GapNote(): JSX.Element | null {
  const { bins, settings, kernel } = useStore();
  const text = useCatalogue()?.text;
  if (!text?.available || !measuresGap(bins.all.value, settings.target.value, settings.centred.value)) return null;
  return (
    <div class="gap-note" data-note="modality-gap" role="note" title={WORDS}>
      <Icon name="warning" />
      <p>{WORDS}</p>
      <Button
        action="centre"
        class="labelled"
        label="Centre each modality"
        onClick={() => kernel.change({ centred: true })}
      >
        Centre
      </Button>
    </div>
  );
}
