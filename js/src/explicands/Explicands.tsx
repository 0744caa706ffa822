import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useCallback } from "preact/hooks";
import { clearBin, enlarge, removeImages } from "../bins/actions";
import { useHeatmapInfo, useStore } from "../context";
import { bestColumns, contain, type Rect, type Size } from "../engine/geometry";
import { ATTRIBUTION, isSigned } from "../engine/layers";
import { Photo } from "../gallery/Photo";
import { StabilityBadge } from "../insight/StabilityBadge";
import { inWords } from "../insight/stability";
import type { Store } from "../store";
import { Button } from "../ui/Button";
import { placed } from "../ui/boxes";
import { amount, count, signedAmount } from "../ui/format";
import { Icon } from "../ui/icons";
import { Panel } from "../ui/Panel";
import { type Cell, TileGrid } from "../ui/TileGrid";
import { CellMark } from "./CellMark";
import { Legend } from "./Legend";
import { WaitingNote } from "./WaitingNote";
import { obstacle, togglePlaces, written } from "./where-else";

const FROM_BEFORE = "from before";
const GAP = 10;
const CAPTION = 34;
const SMALLEST = 96;
/** The widths from which a caption has room for the interval, and for its icon as well. */
const [ROOMY, SPACIOUS] = [180, 270];

/** Tiles grow to fill the panel: one explicand is large, many are a grid. */
function explicandCell(area: Size, images: number): Cell {
  const columns = bestColumns(images, area, GAP, CAPTION, SMALLEST);
  const rows = Math.max(1, Math.ceil(images / columns));
  const width = Math.floor((area.width - (columns - 1) * GAP) / columns);
  const height = Math.floor((area.height - (rows - 1) * GAP) / rows);
  return { columns, width, height: Math.max(SMALLEST + CAPTION, height) };
}

const photoBox = ({ width, height }: Size): Size => ({ width: width - 2, height: height - CAPTION });

export function Explicands(): JSX.Element {
  const store = useStore();
  const { heatmaps, heatmapPixels, pointing, seen } = store.explicands;
  const order = store.bins.orders.explicands.value;
  const onShown = useCallback((shown: readonly string[], cell: Size) => {
    const [rows, columns] = store.session.catalogue.peek()?.encoder.input ?? [1, 1];
    const frame = contain(columns / rows, photoBox(cell));
    seen.value = shown;
    heatmapPixels.value = shown.length ? Math.max(frame.width, frame.height) * devicePixelRatio : 0;
  }, []);
  return (
    <Panel
      region="explicands"
      title="Explicands"
      count={count(order.length)}
      subtitle={order.length ? undefined : "images being explained"}
      entry={order.length > 0 && <Legend />}
      actions={
        <Button
          action="clear-explicands"
          label="Clear the explicands"
          disabled={!order.length}
          onClick={() => clearBin(store, "explicands")}
        >
          <Icon name="trash" />
        </Button>
      }
    >
      <TileGrid
        region="explicands"
        order={order}
        label="Explicands"
        gap={GAP}
        cell={explicandCell}
        onShown={onShown}
        clickEnlarges
        describe={(image) => describeExplicand(store, image)}
        tools={(image) => <ExplicandTools image={image} />}
        shortcuts="Enter Delete W"
        renderTile={(image, cell) => <ExplicandTile image={image} cell={cell} />}
        empty={
          <>
            <Icon name="eye" />
            <p>Drag images here to see what the encoder sees in them.</p>
          </>
        }
      />
      {order.length > 0 && <WaitingNote />}
      {order.length > 0 && heatmaps.nothing.value && !pointing.image.value && (
        <div class="nothing" role="note">
          {heatmaps.nothing.value}
        </div>
      )}
    </Panel>
  );
}

/** What the heatmaps of a trial answer. */
function trialTag({ bins }: Store, trial: "drop" | "place"): string {
  if (trial === "place") return "Where else?";
  return bins.drag.value.phase === "dragging" ? "If dropped" : "If done";
}

/** The label of a tile: a screen reader reads it instead of the parts of the tile. */
function describeExplicand(store: Store, image: string): string {
  const words = [store.describe(image)];
  const info = store.explicands.heatmaps.info(image).value;
  if (info?.stale && store.kernel.state.value === "closed") words.push(FROM_BEFORE);
  const trial = info?.trial ? `${trialTag(store, info.trial).toLowerCase()}, ` : "";
  if (info) words.push(`${trial}score ${written(info, store.settings.similarity.value)}`);
  const stability = store.insight.stability.kept.value.get(image);
  if (info && stability && !store.insight.stability.isStale(stability)) words.push(inWords(stability));
  return words.join(", ");
}

function ExplicandTile({ image, cell }: { image: string; cell: Size }): JSX.Element {
  const store = useStore();
  const label = store.gallery.label(image);
  return (
    <div class="explicand">
      <div class="explicand-photo">
        <Photo image={image} box={photoBox(cell)} heatmap>
          {(frame) => (
            <>
              <CellMark image={image} frame={frame} />
              <Probe image={image} frame={frame} />
            </>
          )}
        </Photo>
        <BinsTag image={image} />
        {cell.width < ROOMY && <StabilityBadge image={image} size="over" />}
      </div>
      <div class="caption">
        <span class="caption-names">
          <span class="caption-name">{label ?? image}</span>
          {label && label !== image && <span class="caption-id">{image}</span>}
        </span>
        {cell.width >= ROOMY && <StabilityBadge image={image} size={cell.width < SPACIOUS ? "number" : "full"} />}
        <Reading image={image} />
      </div>
    </div>
  );
}

function ExplicandTools({ image }: { image: string }): JSX.Element {
  const store = useStore();
  const pinned = store.explicands.pointing.pinned.value === image;
  const reason = pinned ? null : obstacle(store, image);
  return (
    <>
      <Button
        skipped
        action="where-else"
        label={`Where else? ${reason ?? `Point at places of ${image} (W, or hold Shift)`}`}
        disabled={reason !== null}
        pressed={pinned}
        onClick={() => togglePlaces(store, image)}
      >
        <Icon name="target" />
      </Button>
      <Button skipped label={`Enlarge ${image} (Enter)`} onClick={() => enlarge(store, image, "explicands")}>
        <Icon name="expand" />
      </Button>
      <Button
        skipped
        label={`Stop explaining ${image} (Delete)`}
        onClick={() => removeImages(store, [image], "explicands")}
      >
        <Icon name="close" />
      </Button>
    </>
  );
}

const SCORE =
  "γ, the score that the heatmap explains: above zero is nearer to the corpus, below zero nearer to the foil";
const PLACE_SCORE = "How alike the image as a whole and the place are";

/** The score and the progress of the heatmap; a component of its own, as it is rendered at every update. */
export function Reading({ image }: { image: string }): JSX.Element | null {
  const { settings } = useStore();
  const info = useHeatmapInfo(image);
  if (!info) return null;
  const percent = Math.round(info.progress * 100);
  return (
    <span class="reading" data-stale={info.stale || undefined} data-trial={info.trial || undefined}>
      {percent < 100 && (
        <svg class="ring" viewBox="0 0 16 16" role="img" aria-label={`${percent} % prepared`}>
          <title>{`${percent} % prepared`}</title>
          <circle cx="8" cy="8" r="6" pathLength="100" />
          <circle cx="8" cy="8" r="6" pathLength="100" stroke-dasharray={`${percent} 100`} />
        </svg>
      )}
      <span
        class="score"
        data-sign={info.score < 0 ? "negative" : "positive"}
        title={info.trial === "place" ? PLACE_SCORE : SCORE}
      >
        {written(info, settings.similarity.value)}
      </span>
    </span>
  );
}

/** The tag of a heatmap that does not answer the present bins, or of a preview by another method than the chosen one. */
function BinsTag({ image }: { image: string }): JSX.Element | null {
  const store = useStore();
  const { kernel } = store;
  const { image: pointed, grid } = store.explicands.pointing;
  const info = useHeatmapInfo(image);
  if (pointed.value === image) return <span class="tag">{grid.value ? "This place" : "Waiting for the kernel…"}</span>;
  if (info?.trial) return <span class="tag">{trialTag(store, info.trial)}</span>;
  if (info?.stale && kernel.state.value === "closed") return <span class="tag">{FROM_BEFORE}</span>;
  if (!info?.preview) return null;
  return (
    <span class="tag" title="A quick class activation map, until the chosen method has its first heatmap">
      CAM preview
    </span>
  );
}

/** Shows the value of the heatmap at the pointer. */
export function Probe({ image, frame }: { image: string; frame: Rect }): JSX.Element {
  const { heatmaps, probe } = useStore().explicands;
  const text = useComputed(() => {
    if (probe.value?.image !== image) return null;
    const info = heatmaps.info(image).value;
    const limit = heatmaps.limit(image);
    const write = (value: number) =>
      isSigned(info?.layer ?? ATTRIBUTION) ? signedAmount(value, limit) : amount(value, limit);
    const { value, display } = probe.value;
    return info?.pixelwise ? `${write(value)}, smoothed ${write(display)}` : write(value);
  });
  const onPointerMove = (event: PointerEvent & { currentTarget: HTMLElement }) => {
    const area = event.currentTarget.getBoundingClientRect();
    const [x, y] = [event.clientX - area.left, event.clientY - area.top];
    const sample = event.buttons ? null : heatmaps.sample(image, x / area.width, y / area.height);
    probe.value = sample && { image, ...sample };
    event.currentTarget.style.setProperty("--x", `${x}px`);
    event.currentTarget.style.setProperty("--y", `${y}px`);
  };
  return (
    <div
      class="probe"
      style={placed(frame)}
      onPointerMove={onPointerMove}
      onPointerLeave={() => {
        probe.value = null;
      }}
    >
      {text.value !== null && <span class="probe-value">{text.value}</span>}
    </div>
  );
}
