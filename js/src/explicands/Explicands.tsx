import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useCallback, useMemo } from "preact/hooks";
import { clearBin, enlarge, removeImages } from "../bins/actions";
import { useHeatmapInfo, useStore } from "../context";
import { contain, type Rect, type Size } from "../engine/geometry";
import { ATTRIBUTION, isSigned } from "../engine/layers";
import { Photo } from "../gallery/Photo";
import { StabilityBadge } from "../insight/StabilityBadge";
import { inWords } from "../insight/stability";
import type { Store } from "../store";
import { Button } from "../ui/Button";
import { placed } from "../ui/boxes";
import { amount, count, signedAmount } from "../ui/format";
import { Icon } from "../ui/icons";
import { fitted, type JustifiedRows, type PhotoPlace, scrolled } from "../ui/justified";
import { Panel } from "../ui/Panel";
import { TileGrid } from "../ui/TileGrid";
import { CellMark } from "./CellMark";
import { Legend } from "./Legend";
import { ScoreBar } from "./ScoreBar";
import { scoreText } from "./score";
import { obstacle, togglePlaces, written } from "./where-else";

const FROM_BEFORE = "from before";
const CHROME = { gap: 10, caption: 38, narrowest: 190 };
/** The smallest height of photographs that are all on screen, and the height of those in a list that scrolls. */
const [LEAST, SCROLLED] = [102, 112];
/** The width from which a caption has room for the name beside the score. */
const NAMED_FROM = 180;
/** Under a slimmer photograph there is no room for a score. */
const SLIMMEST = 0.96;
/** The aspect of a photograph that is not known yet. */
const USUAL = 1.25;

/** Photographs fill the panel: one is large, several are in rows, and too many to show at once scroll. */
function explicandRows(area: Size, aspects: readonly number[]): JustifiedRows {
  return fitted(aspects, area, CHROME, LEAST) ?? scrolled(aspects, area, CHROME, SCROLLED);
}

export function Explicands(): JSX.Element {
  const store = useStore();
  const { heatmapPixels, seen } = store.explicands;
  const order = store.bins.orders.explicands.value;
  const aspects = useAspects();
  const onShown = useCallback((shown: readonly string[], { width, height }: Size) => {
    const [rows, columns] = store.session.catalogue.peek()?.encoder.input ?? [1, 1];
    const frame = contain(columns / rows, { width, height: height - CHROME.caption });
    seen.value = shown;
    heatmapPixels.value = shown.length ? Math.max(frame.width, frame.height) * devicePixelRatio : 0;
  }, []);
  return (
    <Panel
      region="explicands"
      title="Explicands"
      count={count(order.length)}
      subtitle={<Note />}
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
        layOut={(area) => explicandRows(area, aspects)}
        onShown={onShown}
        clickEnlarges
        describe={(image) => describeExplicand(store, image)}
        tools={(image) => <ExplicandTools image={image} />}
        shortcuts="Enter Delete W"
        renderTile={(image, place) => <ExplicandTile image={image} place={place} />}
        empty={
          <>
            <Icon name="eye" />
            <p>Drag images here to see what the encoder sees in them.</p>
          </>
        }
      />
    </Panel>
  );
}

/** What the heatmaps of a trial answer. */
function trialTag({ bins }: Store, trial: "drop" | "place"): string {
  if (trial === "place") return "Where else?";
  return bins.drag.value.phase === "dragging" ? "If dropped" : "If done";
}

/** The aspects of the explicands; those that are not known yet are taken to be usual. */
function useAspects(): readonly number[] {
  const { gallery, bins } = useStore();
  // As a text, so that thumbnails of other images change nothing.
  const known = useComputed(() =>
    bins.orders.explicands.value.ids
      .map((image) => Math.max(SLIMMEST, gallery.thumbnails.aspect(image) ?? USUAL).toFixed(3))
      .join(),
  ).value;
  return useMemo(() => (known ? known.split(",").map(Number) : []), [known]);
}

/** What an empty panel is for, or why there is nothing to show in it. */
function Note(): JSX.Element | null {
  const { explicands, bins } = useStore();
  if (!bins.orders.explicands.value.length) return <span class="subtitle">images being explained</span>;
  const nothing = explicands.pointing.image.value ? null : explicands.heatmaps.nothing.value;
  return nothing === null ? null : (
    <span class="nothing" role="note">
      {nothing}
    </span>
  );
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

function ExplicandTile({ image, place }: { image: string; place: PhotoPlace }): JSX.Element {
  const { width, height, caption } = place;
  const named = width >= NAMED_FROM;
  return (
    <div class="explicand">
      <div class="explicand-photo">
        <Photo image={image} box={{ width, height: height - caption }} heatmap>
          {(frame) => (
            <>
              <CellMark image={image} frame={frame} />
              <Probe image={image} frame={frame} />
            </>
          )}
        </Photo>
        <BinsTag image={image} />
        {!named && <Names image={image} />}
      </div>
      <div class="caption" style={{ height: `${caption}px` }}>
        {named && <Names image={image} />}
        <span class="answer">
          <Reading image={image} />
          <StabilityBadge image={image} />
          <ScoreBar image={image} />
        </span>
      </div>
    </div>
  );
}

function Names({ image }: { image: string }): JSX.Element {
  const label = useStore().gallery.label(image);
  return (
    <span class="caption-names">
      <span class="caption-name">{label ?? image}</span>
      {label && label !== image && <span class="caption-id">{image}</span>}
    </span>
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
  const { settings, insight } = useStore();
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
        {info.trial === "place"
          ? written(info, settings.similarity.value)
          : scoreText(info.score, insight.scoreLimit.value)}
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
