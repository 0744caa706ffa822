import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { colormapNamed, ZERO } from "../engine/colormaps";
import { HalfDecoder } from "../engine/float16";
import { ATTRIBUTION, LayerColours } from "../engine/layers";
import type { Heatmap, Heatmaps } from "../kernel/protocol";

/** What the page shows of a heatmap besides its pixels. `stale`: it answers earlier bins. */
export interface HeatmapInfo extends Heatmap {
  version: number;
  stale: boolean;
}

/** The colour bar's range. `groups` > 1: previews beside finished maps, whose values do not compare. */
export interface Scale {
  layer: string;
  peak: number;
  groups: number;
}

interface Kept {
  info: HeatmapInfo;
  values: Float32Array<ArrayBufferLike>;
}

/** Values compare within a method and layer only, and a preview is another method's map. */
const groupOf = (info: Heatmap) => `${info.preview ? "preview " : ""}${info.method} ${info.layer}`;

/**
 * Keeps the newest heatmaps and paints them straight onto the canvases that the tiles have registered: an update must not
 * wait for a re-render of the page.
 */
export class HeatmapPainter {
  /** Counts repainted updates. */
  readonly repaints = signal(0);
  readonly version = signal(-1);
  readonly nothing = signal<string | null>(null);
  readonly scale = signal<Scale | null>(null);

  #kept = new Map<string, Kept>();
  #infos = new Map<string, Signal<HeatmapInfo | null>>();
  #canvases = new Map<string, Set<HTMLCanvasElement>>();
  #peaks = new Map<string, number>();
  #decoder = new HalfDecoder();
  #scratch = document.createElement("canvas");
  #colours = new LayerColours(colormapNamed(""));
  readonly #isWanted: (image: string) => boolean;
  readonly #isShared: () => boolean;

  constructor(isWanted: (image: string) => boolean, isShared: () => boolean) {
    this.#isWanted = isWanted;
    this.#isShared = isShared;
  }

  info(image: string): ReadonlySignal<HeatmapInfo | null> {
    let info = this.#infos.get(image);
    if (!info) {
      info = signal(this.#kept.get(image)?.info ?? null);
      this.#infos.set(image, info);
    }
    return info;
  }

  /** Takes an update from the kernel and paints it before returning. */
  receive(message: Heatmaps, buffers: DataView[]): void {
    if (message.version < this.version.peek()) return;
    batch(() => {
      const renewed = message.version > this.version.peek();
      this.version.value = message.version;
      this.nothing.value = message.nothing ?? null;
      if (message.nothing !== undefined) this.#clear();
      const fresh = this.#store(message, buffers);
      if (renewed) this.#markStale();
      this.#drop();
      const rescaled = this.#rescale();
      for (const image of rescaled ? this.#kept.keys() : fresh) this.#paintImage(image);
    });
    this.#countRepaint();
  }

  #countRepaint(): void {
    // Not `++`, which would subscribe the effect that asked for the repaint to its own outcome.
    this.repaints.value = this.repaints.peek() + 1;
  }

  #store(message: Heatmaps, buffers: DataView[]): string[] {
    const fresh: string[] = [];
    message.items.forEach((item, i) => {
      const buffer = buffers[i];
      if (!buffer || !this.#isShown(item.image)) return;
      const values = this.#decoder.decode(buffer, item.shape[0] * item.shape[1]);
      const layer = item.layer ?? ATTRIBUTION;
      this.#keep(item.image, { info: { ...item, layer, version: message.version, stale: false }, values });
      fresh.push(item.image);
    });
    return fresh;
  }

  #keep(image: string, kept: Kept): void {
    this.#kept.set(image, kept);
    const info = this.#infos.get(image);
    if (info) info.value = kept.info;
  }

  /** Marks all heatmaps as old: nothing will renew them. */
  outdate(): void {
    batch(() => this.#markStale(() => true));
  }

  /** A heatmap that the new version has not replaced yet stays, marked as old, until its own message comes. */
  #markStale(isOld = (info: HeatmapInfo) => info.version !== this.version.peek()): void {
    for (const [image, kept] of this.#kept) {
      if (!isOld(kept.info) || kept.info.stale) continue;
      this.#keep(image, { ...kept, info: { ...kept.info, stale: true } });
      for (const canvas of this.#canvases.get(image) ?? []) canvas.dataset.stale = "true";
    }
  }

  #isShown(image: string): boolean {
    return this.#canvases.has(image) || this.#isWanted(image);
  }

  /** Forgets maps that are no longer shown; the kernel sends them again when they come back into view. */
  #drop(): void {
    for (const image of [...this.#kept.keys()]) if (!this.#isShown(image)) this.#forget(image);
  }

  #forget(image: string): void {
    this.#kept.delete(image);
    const info = this.#infos.get(image);
    if (info) info.value = null;
  }

  #clear(): void {
    for (const image of [...this.#kept.keys()]) {
      this.#forget(image);
      for (const canvas of this.#canvases.get(image) ?? []) wipe(canvas);
    }
  }

  #rescale(): boolean {
    const before = this.#peaks;
    this.#peaks = new Map();
    let shown: HeatmapInfo | null = null;
    for (const { info } of this.#kept.values()) {
      if (info.stale) continue;
      const group = groupOf(info);
      this.#peaks.set(group, Math.max(this.#peaks.get(group) ?? 0, info.peak));
      if (!shown || (shown.preview && !info.preview)) shown = info;
    }
    const peak = shown ? (this.#peaks.get(groupOf(shown)) ?? 0) : 0;
    this.scale.value = shown && { layer: shown.layer, peak, groups: this.#peaks.size };
    return this.#isShared() && [...this.#peaks].some(([group, peak]) => before.get(group) !== peak);
  }

  /** The value that is painted with the map's end colours on this image. */
  limit(image: string): number {
    const kept = this.#kept.get(image);
    if (!kept) return 0;
    return (this.#isShared() && this.#peaks.get(groupOf(kept.info))) || kept.info.peak;
  }

  useColormap(name: string): void {
    this.#colours = new LayerColours(colormapNamed(name));
    this.repaint();
  }

  /** Paints everything again, after a change of scale or colours. */
  repaint(): void {
    for (const image of this.#kept.keys()) this.#paintImage(image);
    if (this.#kept.size) this.#countRepaint();
  }

  /** Registers a canvas for an image and paints what is known; returns a function that unregisters it. */
  attach(image: string, canvas: HTMLCanvasElement): () => void {
    const set = this.#canvases.get(image) ?? new Set();
    this.#canvases.set(image, set.add(canvas));
    if (this.#kept.has(image)) this.#paint(image, canvas);
    else wipe(canvas);
    return () => {
      set.delete(canvas);
      if (set.size === 0 && this.#canvases.get(image) === set) this.#canvases.delete(image);
    };
  }

  /** The value at a point of the frame, given in fractions of it. */
  sample(image: string, x: number, y: number): number | null {
    const kept = this.#kept.get(image);
    if (!kept || x < 0 || y < 0 || x >= 1 || y >= 1) return null;
    const [rows, columns] = kept.info.shape;
    const value = kept.values[Math.floor(y * rows) * columns + Math.floor(x * columns)];
    return value === undefined ? null : value * kept.info.peak;
  }

  #paintImage(image: string): void {
    for (const canvas of this.#canvases.get(image) ?? []) this.#paint(image, canvas);
  }

  #paint(image: string, canvas: HTMLCanvasElement): void {
    const kept = this.#kept.get(image);
    const context = canvas.getContext("2d");
    if (!kept || !context) return;
    const [rows, columns] = kept.info.shape;
    this.#colour(kept, this.#gain(image, kept));
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.imageSmoothingEnabled = true;
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#scratch, 0, 0, columns, rows, 0, 0, canvas.width, canvas.height);
    canvas.dataset.heatmap = image;
    canvas.dataset.method = kept.info.method;
    canvas.dataset.layer = kept.info.layer;
    canvas.dataset.progress = String(kept.info.progress);
    canvas.dataset.heatmapVersion = String(kept.info.version);
    canvas.dataset.stale = String(kept.info.stale);
  }

  #gain(image: string, kept: Kept): number {
    const limit = this.limit(image);
    return limit > 0 ? kept.info.peak / limit : 0;
  }

  /** Colours values into the scratch canvas at their own resolution. */
  #colour({ values, info }: Kept, gain: number): void {
    const [rows, columns] = info.shape;
    const scratch = this.#scratch;
    if (scratch.width !== columns || scratch.height !== rows) {
      scratch.width = columns;
      scratch.height = rows;
    }
    const pixels = new Uint32Array(values.length);
    const [table, steps] = [this.#colours.of(info.layer), ZERO - 1];
    for (let i = 0; i < pixels.length; i++) {
      // As `tableIndex`, in line: this loop is the cost of an update. `| 0` rounds to zero and takes care of NaN.
      const scaled = (values[i] as number) * gain * steps;
      const step = (scaled < 0 ? scaled - 0.5 : scaled + 0.5) | 0;
      pixels[i] = table[ZERO + (step > steps ? steps : Math.max(step, -steps))] as number;
    }
    const image = new ImageData(new Uint8ClampedArray(pixels.buffer), columns, rows);
    scratch.getContext("2d", { willReadFrequently: true })?.putImageData(image, 0, 0);
  }
}

function wipe(canvas: HTMLCanvasElement): void {
  canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
  for (const name of ["heatmap", "method", "layer", "progress", "heatmapVersion", "stale"]) delete canvas.dataset[name];
}
