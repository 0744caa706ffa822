import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useCallback } from "preact/hooks";
import type { Region } from "../bins";
import { useStore } from "../context";
import { count, signed } from "../format";
import type { Size } from "../geometry";
import { FOCUSABLE } from "../keyboard";
import { Icon } from "./icons";
import { Panel } from "./Panel";
import { Photo } from "./Photo";
import { type Cell, TileGrid } from "./TileGrid";

const TILE = 96;
const LABEL = 20;
const GAP = 8;

/** Fixed height, and as many columns as fit, stretched to fill the row. */
function galleryCell({ width }: Size): Cell {
  const columns = Math.max(1, Math.floor((width + GAP) / (TILE + GAP)));
  return { columns, width: Math.floor((width - (columns - 1) * GAP) / columns), height: TILE + LABEL };
}

export function Gallery(): JSX.Element {
  const store = useStore();
  const { catalogue, galleryIds, visible, galleryPixels, waiting, failure } = store;
  const total = catalogue.value?.images.length ?? 0;
  const ids = galleryIds.value;
  const onShown = useCallback((shown: readonly string[], cell: Size) => {
    visible.value = shown;
    galleryPixels.value = Math.min(cell.width, TILE) * devicePixelRatio;
  }, []);
  return (
    <Panel
      region="gallery"
      title="Gallery"
      count={ids.length === total ? count(total) : `${count(ids.length)} of ${count(total)}`}
      actions={<Skipped />}
    >
      <Filter />
      <TileGrid
        region="gallery"
        ids={ids}
        label="Gallery"
        gap={GAP}
        cell={galleryCell}
        onShown={onShown}
        describe={(image) => store.describe(image)}
        renderTile={(image, cell) => <GalleryTile image={image} cell={cell} />}
        empty={
          catalogue.value
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
  const on = store.t.gallery_heatmaps.value;
  return (
    <>
      <div class="thumb" style={{ height: `${TILE}px` }}>
        <Photo image={image} box={{ width: cell.width, height: TILE }} heatmap={on} />
        {on && <GalleryScore image={image} />}
      </div>
      <div class="tile-label">
        <Badges image={image} />
        <span>{store.label(image) ?? image}</span>
      </div>
    </>
  );
}

function GalleryScore({ image }: { image: string }): JSX.Element | null {
  const info = useStore().heatmaps.info(image).value;
  return info && <span class="mini-score">{signed(info.score)}</span>;
}

const BADGES: [Exclude<Region, "gallery">, string][] = [
  ["corpus", "In corpus"],
  ["foil", "In foil"],
  ["explicands", "Explained"],
];

function Badges({ image }: { image: string }): JSX.Element {
  const { members } = useStore();
  const bins = useComputed(() =>
    BADGES.map(([bin]) => bin)
      .filter((bin) => members[bin].value.has(image))
      .join(" "),
  );
  const present = bins.value.split(" ");
  return (
    <>
      {BADGES.map(
        ([bin, title]) =>
          present.includes(bin) && (
            <i key={bin} class="badge" data-of={bin} title={title}>
              {bin === "explicands" && <Icon name="eye" />}
            </i>
          ),
      )}
    </>
  );
}

function Filter(): JSX.Element {
  const { filter } = useStore();
  return (
    <div class="filter">
      <Icon name="search" />
      <input
        type="search"
        placeholder="Filter by name or label"
        aria-label="Filter the gallery"
        value={filter.value}
        onInput={(event) => {
          filter.value = event.currentTarget.value;
        }}
        {...FOCUSABLE}
      />
    </div>
  );
}

/** Says which sources could not be read, instead of leaving them out silently. */
function Skipped(): JSX.Element | null {
  const skipped = useStore().catalogue.value?.skipped ?? [];
  if (!skipped.length) return null;
  const some = skipped.slice(0, 20).map(({ image, reason }) => `${image}: ${reason}`);
  if (skipped.length > some.length) some.push(`and ${count(skipped.length - some.length)} more`);
  return (
    <span class="skipped" title={some.join("\n")}>
      <Icon name="warning" /> {count(skipped.length)} unreadable
    </span>
  );
}
