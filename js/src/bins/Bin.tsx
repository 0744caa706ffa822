import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useCatalogue, useStore } from "../context";
import { columnsIn, type Size } from "../engine/geometry";
import { Photo } from "../gallery/Photo";
import { Button } from "../ui/Button";
import { count } from "../ui/format";
import { Icon } from "../ui/icons";
import { Panel } from "../ui/Panel";
import { Rows, type TileRows } from "../ui/rows";
import { TileGrid } from "../ui/TileGrid";
import { clearBin } from "./actions";
import { GapNote } from "./GapNote";
import { Prompt } from "./Prompt";
import { TextField } from "./TextField";
import { TextMenu } from "./TextMenu";
import { isText } from "./texts";

const TILE = 68;
const CHIP = { width: 148, height: 34 };
const GAP = 6;

/** Texts in rows of their own, above the photographs. */
function binRows({ width }: Size, texts: number, count: number): TileRows {
  const columns = columnsIn(width, CHIP.width, GAP);
  const chip = { width: Math.floor((width - (columns - 1) * GAP) / columns), height: CHIP.height };
  const photo = { width: TILE, height: TILE };
  return new Rows({ ...photo, columns: columnsIn(width, TILE, GAP), count: count - texts }, GAP, {
    ...chip,
    columns,
    count: texts,
  });
}

const TEXTS = {
  corpus: {
    title: "Corpus",
    subtitle: "more like these",
    empty: "Drag images here that the explicands should resemble.",
    emptyWithTexts: "Drag images here, or add texts, that the explicands should resemble.",
  },
  foil: {
    title: "Foil",
    subtitle: "less like these",
    empty: "Drag images here to contrast with: what is shared with them cancels out.",
    emptyWithTexts: "Drag images here, or add texts, to contrast with: what is shared with them cancels out.",
  },
};

export function Bin({ bin }: { bin: "corpus" | "foil" }): JSX.Element {
  const store = useStore();
  const order = store.bins.orders[bin].value;
  const { ids } = order;
  const words = TEXTS[bin];
  const text = useCatalogue()?.text;
  const busy = useSignal(false);
  const photo = ids.findIndex((id) => !isText(id));
  const texts = photo < 0 ? ids.length : photo;
  return (
    <Panel
      region={bin}
      title={words.title}
      count={count(ids.length)}
      subtitle={<span class="subtitle">{words.subtitle}</span>}
      entry={
        text?.available && (
          <div class="text-entry">
            <TextField bin={bin} busy={busy} />
            <TextMenu bin={bin} text={text} busy={busy} />
          </div>
        )
      }
      actions={
        <Button
          action={`clear-${bin}`}
          label={`Clear the ${bin}`}
          disabled={!ids.length}
          onClick={() => clearBin(store, bin)}
          aim={() => ({ kind: "clear", bin })}
        >
          <Icon name="trash" />
        </Button>
      }
    >
      {bin === "corpus" && <GapNote />}
      <TileGrid
        region={bin}
        order={order}
        label={words.title}
        layOut={(area) => binRows(area, texts, ids.length)}
        describe={(image) => store.describe(image)}
        renderTile={(id, cell) =>
          isText(id) ? (
            <Prompt id={id} />
          ) : (
            <div class="thumb" style={{ height: `${cell.height}px` }}>
              <Photo image={id} box={cell} heatmap={false} />
            </div>
          )
        }
        empty={
          <>
            <Icon name={bin === "corpus" ? "plus" : "minus"} />
            <p>{text?.available ? words.emptyWithTexts : words.empty}</p>
          </>
        }
      />
    </Panel>
  );
}
