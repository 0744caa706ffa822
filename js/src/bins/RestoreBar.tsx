import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useStore } from "../context";
import { Button } from "../ui/Button";
import { Icon } from "../ui/icons";
import { restoration, restore } from "./actions";
import { contents, leftOut } from "./restoring";

/** Offers the bins that an earlier run of the cell had. */
export function RestoreBar(): JSX.Element | null {
  const store = useStore();
  const offer = store.bins.restoring.offer.value;
  const what = offer && contents(offer.bins);
  useEffect(() => {
    if (what) store.ui.announce(`The earlier bins can be restored: ${what}.`);
  }, [what]);
  if (!offer) return null;
  const answer = (act: () => void) => {
    act();
    store.tiles.focusIntent.value = "corpus"; // the button with the focus disappears with the offer
  };
  return (
    <div class="notice" data-kind="restore" role="group" aria-label="Restore the bins">
      <Icon name="undo" />
      <p>
        Restore the earlier bins: <b>{what}</b>. {leftOut(offer)}
      </p>
      <Button
        action="restore"
        class="labelled"
        label={`Restore ${what}`}
        onClick={() => answer(() => restore(store))}
        aim={() => restoration(offer)}
      >
        Restore
      </Button>
      <Button
        action="dismiss"
        class="labelled"
        label="Dismiss: keep the bins as they are"
        onClick={() => answer(() => store.bins.restoring.dismiss())}
      >
        Dismiss
      </Button>
    </div>
  );
}
