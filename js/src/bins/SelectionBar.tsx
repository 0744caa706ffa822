import type { JSX } from "preact";
import { useStore } from "../context";
import type { Operation } from "../kernel/protocol";
import { Button } from "../ui/Button";
import { count } from "../ui/format";
import { Icon } from "../ui/icons";
import { moveImages, removeImages, selectedTiles } from "./actions";
import type { Bin, Region } from "./bins";
import { amount, isText, nameOf } from "./texts";

const SENDS: { bin: Bin; text: string; key: string }[] = [
  { bin: "corpus", text: "Corpus", key: "C" },
  { bin: "foil", text: "Foil", key: "F" },
  { bin: "explicands", text: "Explain", key: "E" },
];

/** Buttons that act on the selected tiles, besides dragging and keys. */
export function SelectionBar(): JSX.Element | null {
  const { tiles, bins } = useStore();
  const { region, ids } = tiles.selection.value;
  return ids.size && bins.drag.value.phase !== "dragging" ? <Moves region={region} ids={ids} /> : null;
}

function Moves({ region, ids }: { region: Region; ids: ReadonlySet<string> }): JSX.Element {
  const store = useStore();
  const moving = (to: Region): Operation => ({ kind: "move", ids: selectedTiles(store), origin: region, to });
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
          aim={() => moving(bin)}
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
        aim={() => moving("gallery")}
      >
        <Icon name="trash" />
      </Button>
      <Button label="Clear the selection (Esc)" onClick={() => store.tiles.clearSelection()}>
        <Icon name="close" />
      </Button>
    </div>
  );
}
