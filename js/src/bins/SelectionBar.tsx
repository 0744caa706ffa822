import type { JSX } from "preact";
import { useStore } from "../context";
import { Button } from "../ui/Button";
import { count } from "../ui/format";
import { Icon } from "../ui/icons";
import { moveImages, removeImages, selectedTiles } from "./actions";
import type { Bin } from "./bins";
import { amount, isText, nameOf } from "./texts";

const SENDS: { bin: Bin; text: string; key: string }[] = [
  { bin: "corpus", text: "Corpus", key: "C" },
  { bin: "foil", text: "Foil", key: "F" },
  { bin: "explicands", text: "Explain", key: "E" },
];

/** Buttons that act on the selected tiles, besides dragging and keys. */
export function SelectionBar(): JSX.Element | null {
  const store = useStore();
  const { region, ids } = store.tiles.selection.value;
  if (!ids.size || store.bins.drag.value.phase === "dragging") return null;
  const [first = ""] = ids;
  const what = ids.size === 1 ? nameOf(first) : amount([...ids]);
  const explainable = [...ids].some((id) => !isText(id));
  const removal = region === "gallery" ? `Remove ${what} from all bins` : `Remove ${what} from ${region}`;
  return (
    <div class="selection-bar" role="toolbar" aria-label="Selection">
      <span class="selection-count">{count(ids.size)} selected</span>
      {SENDS.filter(({ bin }) => bin !== region && (bin !== "explicands" || explainable)).map(({ bin, text, key }) => (
        <Button
          key={bin}
          action={`to-${bin}`}
          worded
          class={`send send-${bin}`}
          label={bin === "explicands" ? `Explain ${what} (${key})` : `Move ${what} to ${bin} (${key})`}
          onClick={() => moveImages(store, selectedTiles(store), region, bin)}
        >
          <i class="badge" data-of={bin}>
            {bin === "explicands" && <Icon name="eye" />}
          </i>
          {text} <kbd>{key}</kbd>
        </Button>
      ))}
      <Button
        action="remove"
        label={`${removal} (Delete)`}
        onClick={() => removeImages(store, selectedTiles(store), region)}
      >
        <Icon name="trash" />
      </Button>
      <Button label="Clear the selection (Esc)" onClick={() => store.tiles.clearSelection()}>
        <Icon name="close" />
      </Button>
    </div>
  );
}
