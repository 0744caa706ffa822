import { useComputed, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useCallback } from "preact/hooks";
import type { Region } from "../bins/bins";
import { DragHint } from "../bins/DragHint";
import { quoted } from "../bins/texts";
import { useCatalogue, useHeatmapInfo, useStore } from "../context";
import { columnsIn, type Size } from "../engine/geometry";
import { written } from "../explicands/where-else";
import { Button } from "../ui/Button";
import { count, signed } from "../ui/format";
import { Icon } from "../ui/icons";
import { FOCUSABLE } from "../ui/keyboard";
import { Panel } from "../ui/Panel";
import { Retry } from "../ui/Retry";
import { Rows, type TileRows } from "../ui/rows";
import { TileGrid } from "../ui/TileGrid";
import { Photo } from "./Photo";
import { rankedWords } from "./search";

/** The smallest width of a tile, and the height of its photograph. */
const [NARROWEST, TILE] = [84, 90];
const LABEL = 20;
const GAP = 8;

/** Tiles of a fixed height, in as many columns as fit, stretched to fill the row. */
function galleryRows({ width }: Size, count: number): TileRows {
  const columns = columnsIn(width, NARROWEST, GAP);
  return new Rows(
    { count, columns, width: Math.floor((width - (columns - 1) * GAP) / columns), height: TILE + LABEL },
    GAP,
  );
}

export function Gallery(): JSX.Element {
  const store = useStore();
  const { waiting, failure } = store.session;
  const catalogue = useCatalogue();
  const { visible, heatmapPixels } = store.gallery;
  const { ranking } = store.gallery.search;
  const total = catalogue?.images.length ?? 0;
  const order = store.gallery.order.value;
  const onShown = useCallback((shown: readonly string[], { width }: Size) => {
    visible.value = shown;
    heatmapPixels.value = Math.min(width, TILE) * devicePixelRatio;
  }, []);
  return (
    <Panel
      region="gallery"
      title="Gallery"
      count={order.length === total || ranking.value ? count(total) : `${count(order.length)} of ${count(total)}`}
      actions={<Skipped />}
    >
      <Filter />
      <Ranked />
      <DragHint />
      <TileGrid
        key={ranking.value?.text ?? ""}
        region="gallery"
        order={order}
        label="Gallery"
        layOut={(area) => galleryRows(area, order.length)}
        onShown={onShown}
        describe={(image) => {
          const score = ranking.value?.scores.get(image);
          return store.describe(image) + (score === undefined ? "" : `, similarity ${signed(score)}`);
        }}
        renderTile={(image, cell) => <GalleryTile image={image} cell={cell} />}
        empty={
          catalogue
            ? total
              ? "No image matches."
              : "There are no images."
            : (failure.value ?? (waiting.value ? "Waiting for the kernel…" : "Loading…"))
        }
      />
    </Panel>
  );
}

function GalleryTile({ image, cell }: { image: string; cell: Size }): JSX.Element {
  const store = useStore();
  const on = store.settings.gallery_heatmaps.value;
  return (
    <>
      <div class="thumb" style={{ height: `${TILE}px` }}>
        <Photo image={image} box={{ width: cell.width, height: TILE }} heatmap={on} />
        {on && <GalleryScore image={image} />}
      </div>
      <div class="tile-label">
        <Badges image={image} />
        <span>{store.gallery.label(image) ?? image}</span>
        <RankScore image={image} />
      </div>
    </>
  );
}

function RankScore({ image }: { image: string }): JSX.Element | null {
  const score = useStore().gallery.search.ranking.value?.scores.get(image);
  return score === undefined ? null : <b class="rank-score">{signed(score)}</b>;
}

function GalleryScore({ image }: { image: string }): JSX.Element | null {
  const info = useHeatmapInfo(image);
  const { similarity } = useStore().settings;
  return info && <span class="mini-score">{written(info, similarity.value)}</span>;
}

const BADGES: [Exclude<Region, "gallery">, string][] = [
  ["corpus", "In corpus"],
  ["foil", "In foil"],
  ["explicands", "Explained"],
];

function Badges({ image }: { image: string }): JSX.Element {
  const { bins } = useStore();
  const present = useComputed(() =>
    BADGES.map(([bin]) => bin)
      .filter((bin) => bins.has(bin, image))
      .join(" "),
  );
  const names = present.value.split(" ");
  return (
    <>
      {BADGES.map(
        ([bin, title]) =>
          names.includes(bin) && (
            <i key={bin} class="badge" data-of={bin} title={title}>
              {bin === "explicands" && <Icon name="eye" />}
            </i>
          ),
      )}
    </>
  );
}

/** The field above the gallery: it filters by name, or ranks by similarity to a text. */
function Filter(): JSX.Element {
  const { filter, search } = useStore().gallery;
  const text = useCatalogue()?.text;
  const typed = useSignal("");
  const on = search.on.value;
  const toggle = () => {
    typed.value = filter.peek() || typed.peek();
    filter.value = "";
    search.toggle();
    if (search.on.peek()) search.rank(typed.peek());
    else typed.value = "";
  };
  return (
    <div class="filter" data-ranks={on || undefined} data-busy={search.busy.value || undefined}>
      <Icon name="search" />
      <input
        type="search"
        dir="auto"
        placeholder={on ? "Describe what to look for, then Enter" : "Filter by name or label"}
        aria-label={on ? "Rank the gallery by similarity to a text" : "Filter the gallery"}
        aria-busy={search.busy.value}
        title={on ? text?.note : undefined}
        value={on ? typed.value : filter.value}
        onInput={(event) => {
          const { value } = event.currentTarget;
          if (!on) filter.value = value;
          else typed.value = value;
          if (on && !value) search.clear();
        }}
        onKeyDown={(event) => {
          if (!on || event.isComposing) return;
          if (event.key === "Enter") search.rank(typed.peek());
          else if (event.key === "Escape") toggle();
          else return;
          event.preventDefault();
        }}
        {...FOCUSABLE}
      />
      {text?.available && (
        <Button
          action="rank"
          label={on ? "Back to filtering by name" : "Rank by similarity to a text"}
          pressed={on}
          onClick={toggle}
        >
          <Icon name="rank" />
        </Button>
      )}
    </div>
  );
}

/** The text that the gallery is ranked by, how many images are ranked, and a button back. */
function Ranked(): JSX.Element | null {
  const { search } = useStore().gallery;
  const ranking = search.ranking.value;
  const error = search.error.value;
  if (error !== null) return <Retry message={error} onRetry={() => search.again()} />;
  if (!ranking) return null;
  const partial = ranking.compared < ranking.total;
  return (
    <div class="ranked" role="status">
      <p title={ranking.text}>
        Nearest to <bdi>{quoted(ranking.text, 28)}</bdi>: {rankedWords(ranking)}
      </p>
      {partial && (
        <Button
          action="rank-again"
          class="labelled"
          label="Rank again with what is encoded now"
          onClick={() => search.again()}
        >
          Again
        </Button>
      )}
      <Button action="rank-clear" label="Back to the whole gallery" onClick={() => search.toggle()}>
        <Icon name="close" />
      </Button>
    </div>
  );
}

/** The number of sources that could not be read, with reasons, so that none is left out silently. */
function Skipped(): JSX.Element | null {
  const skipped = useCatalogue()?.skipped ?? [];
  if (!skipped.length) return null;
  const some = skipped.slice(0, 20).map(({ image, reason }) => `${image}: ${reason}`);
  if (skipped.length > some.length) some.push(`and ${count(skipped.length - some.length)} more`);
  return (
    <span class="skipped" title={some.join("\n")}>
      <Icon name="warning" /> {count(skipped.length)} unreadable
    </span>
  );
}
