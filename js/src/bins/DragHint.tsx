import type { JSX } from "preact";
import { useStore } from "../context";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";

/** What to try first; it goes away for good with the first image that is moved, or when it is dismissed. */
export function DragHint(): JSX.Element | null {
  const { ui, gallery } = useStore();
  if (ui.hasMoved.value || !gallery.order.value.length) return null;
  return (
    <div class="hint" role="note">
      <p>
        Drag a photograph into the <b class="in-corpus">corpus</b> or the <b class="in-foil">foil</b>: the heatmaps
        follow.
      </p>
      <Button
        action="dismiss-hint"
        label="Dismiss the hint"
        onClick={() => {
          ui.hasMoved.value = true;
        }}
      >
        <Icon name="close" />
      </Button>
    </div>
  );
}
