import type { JSX } from "preact";
import { useStore } from "../context";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";

/** A hint that the encoder tells images hardly apart, and an offer to centre the members of the bins. */
export function AlikeNote(): JSX.Element | null {
  const { session, settings, kernel, ui } = useStore();
  const alike = session.status.value?.alike;
  if (typeof alike !== "number" || ui.alikeDismissed.value) return null;
  const centred = settings.centred.value;
  return (
    <div class="notice" data-kind="alike" role="note">
      <Icon name="warning" />
      <p>
        This encoder gives all images nearly the same representation (mean cosine {alike.toFixed(3).replace(/^0/, "")}).{" "}
        {centred
          ? "The bins are centred: scores compare what sets images apart."
          : "Scores differ little: centre the bins to compare what sets images apart."}
      </p>
      <Button
        action="centre-alike"
        class="labelled"
        label={centred ? "Do not centre the bins" : "Take the gallery's mean out of the members of the bins"}
        onClick={() => kernel.change({ centred: !centred })}
      >
        {centred ? "Do not centre" : "Centre"}
      </Button>
      <Button
        action="dismiss-alike"
        label="Dismiss the hint"
        onClick={() => {
          ui.alikeDismissed.value = true;
        }}
      >
        <Icon name="close" />
      </Button>
    </div>
  );
}
