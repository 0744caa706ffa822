import type { JSX } from "preact";
import { clearBin } from "../actions";
import { useStore } from "../context";
import { count } from "../format";
import type { Size } from "../geometry";
import { Button } from "./Button";
import { Icon } from "./icons";
import { Panel } from "./Panel";
import { Photo } from "./Photo";
import { type Cell, TileGrid } from "./TileGrid";

const TILE = 68;
const GAP = 6;

function binCell({ width }: Size): Cell {
  const columns = Math.max(1, Math.floor((width + GAP) / (TILE + GAP)));
  return { columns, width: TILE, height: TILE };
}

const TEXTS = {
  corpus: {
    title: "Corpus",
    subtitle: "more like these",
    empty: "Drag images here that the explicands should resemble.",
  },
  foil: {
    title: "Foil",
    subtitle: "less like these",
    empty: "Drag images here to contrast with: what is shared with them cancels out.",
  },
};

export function Bin({ bin }: { bin: "corpus" | "foil" }): JSX.Element {
  const store = useStore();
  const ids = store.t[bin].value;
  const text = TEXTS[bin];
  return (
    <Panel
      region={bin}
      title={text.title}
      count={count(ids.length)}
      subtitle={text.subtitle}
      actions={
        <Button
          action={`clear-${bin}`}
          label={`Clear the ${bin}`}
          disabled={!ids.length}
          onClick={() => clearBin(store, bin)}
        >
          <Icon name="trash" />
        </Button>
      }
    >
      <TileGrid
        region={bin}
        ids={ids}
        label={text.title}
        gap={GAP}
        cell={binCell}
        describe={(image) => store.describe(image)}
        renderTile={(image, cell) => (
          <div class="thumb" style={{ height: `${cell.height}px` }}>
            <Photo image={image} box={cell} heatmap={false} />
          </div>
        )}
        empty={
          <>
            <Icon name={bin === "corpus" ? "plus" : "minus"} />
            <p>{text.empty}</p>
          </>
        }
      />
    </Panel>
  );
}
