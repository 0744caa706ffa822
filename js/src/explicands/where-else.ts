import { effect } from "@preact/signals";
import { cellAt } from "../engine/cells";
import { ATTRIBUTION } from "../engine/layers";
import type { Store } from "../store";
import { fraction, signed } from "../ui/format";
import type { HeatmapInfo } from "./heatmap";

/** "Where else?": what pointing at a place of an explicand needs, and how its result is written and read out. */

const MOST = 3;
/** How long a place must have rested before it is read out. */
const REST_MS = 250;

/** Why places of an explicand cannot be pointed at; null if they can. */
export function obstacle({ settings, session, explicands }: Store, image: string): string | null {
  const { heatmaps } = explicands;
  const info = heatmaps.info(image).value;
  const cam = session.catalogue.value?.methods.find(({ name }) => name === "cam");
  const first = (what: string) => `To point at places, ${what}.`;
  if (settings.layer.value !== ATTRIBUTION) return first("show the layer Attribution");
  if (settings.similarity.value === "gaussian") return first("choose cosine or dot product");
  if (settings.method.value !== "patch_tokens" && cam?.unavailable)
    return first("choose Patch tokens, or an encoder with a feature map");
  if (heatmaps.computes(image)) return null;
  const isKernels = info && !info.preview && !info.stale;
  return first(isKernels ? "choose CAM, Sharp CAM, patch tokens or RISE" : "wait until the image is prepared");
}

/** Begins to point at places of an explicand, or ends it; says why where it cannot. */
export function togglePlaces(store: Store, image: string): void {
  const { pointing } = store.explicands;
  const reason = pointing.pinned.peek() === image ? null : obstacle(store, image);
  if (reason === null) pointing.toggle(image);
  else store.ui.report(reason);
}

const STEPS: Record<string, [number, number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** Acts on a key while places of the focused explicand are pointed at; returns whether it was used. */
export function stepPlace({ explicands }: Store, image: string, key: string): boolean {
  const step = STEPS[key];
  if (!step || explicands.pointing.pinned.peek() !== image) return false;
  explicands.pointing.step(...step);
  return true;
}

/** Shows the present bins again; returns whether a place was shown. */
export function leavePlaces({ explicands }: Store): boolean {
  const points = explicands.pointing.image.peek() !== null;
  explicands.pointing.leave();
  return points;
}

/** The score of a heatmap: for a place, the cosine of the image with it, and "cos" says so. */
export function written({ score, trial }: HeatmapInfo, similarity: string): string {
  return trial === "place" && similarity === "cosine" ? `cos ${fraction(score)}` : signed(score);
}

/** Reads out the cell that is pointed at, and which images are most like it, once it rests. Returns what stops that. */
export function announcePlaces(store: Store): () => void {
  const { place, pinned, grid } = store.explicands.pointing;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = effect(() => {
    clearTimeout(timer);
    if (place.value && grid.value && pinned.value !== null)
      timer = setTimeout(() => store.ui.announce(inWords(store)), REST_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}

function inWords({ explicands, bins, gallery }: Store): string {
  const { pointing, heatmaps } = explicands;
  const [place, grid] = [pointing.place.peek(), pointing.grid.peek()];
  if (!place || !grid) return "";
  const { row, column } = cellAt(grid, place);
  const shown = new Set([...bins.orders.explicands.peek().ids, ...gallery.visible.peek()]);
  const alike = [...shown]
    .flatMap((image) => heatmaps.info(image).peek() ?? [])
    .filter(({ image, trial }) => trial === "place" && image !== place.image)
    .sort((a, b) => b.score - a.score)
    .slice(0, MOST)
    .map(({ image, score }) => `${image} ${fraction(score)}`)
    .join(", ");
  const others = alike && ` Most alike: ${alike}.`;
  return `Place row ${row + 1} of ${grid.rows}, column ${column + 1} of ${grid.columns}.${others}`;
}
