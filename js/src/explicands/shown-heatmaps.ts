import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { Magnitudes } from "../engine/magnitudes";
import { smoothen } from "../engine/smoothing";
import { HeatmapCanvases } from "./canvases";
import { groupOf, type HeatmapInfo, type Painted, type Shown } from "./heatmap";
import { type Course, SharedScale } from "./shared-scale";

/** Places are many, and the scale must not jump from one to the next. */
const GROWING = { held: false, sharpening: false, grows: true };

/** The heatmap that is shown of each image, the scale that they share, and the canvases that they are painted on. */
export class ShownHeatmaps {
  readonly scale: SharedScale;
  /** The scale of the heatmaps for places: a place is a direction of unit length, and bins are a difference. */
  readonly placeScale: SharedScale;
  readonly canvases = new HeatmapCanvases();
  readonly #magnitudes = new Magnitudes();
  readonly #kept = new Map<string, Painted>();
  /** The heatmaps of a supposed question or a place, which are shown instead. */
  readonly #trials = new Map<string, Painted>();
  readonly #infos = new Map<string, Signal<HeatmapInfo | null>>();
  /** The images with another heatmap than what is painted. */
  readonly #fresh = new Set<string>();
  readonly #isShared: () => boolean;

  constructor(isShared: () => boolean) {
    this.#isShared = isShared;
    const paintAll = () => isShared() && this.paintAll();
    this.scale = new SharedScale(paintAll);
    this.placeScale = new SharedScale(paintAll);
  }

  get kept(): ReadonlyMap<string, Painted> {
    return this.#kept;
  }

  #at(image: string): Painted | undefined {
    return this.#trials.get(image) ?? this.#kept.get(image);
  }

  info(image: string): ReadonlySignal<HeatmapInfo | null> {
    let info = this.#infos.get(image);
    if (!info) {
      info = signal(this.#at(image)?.info ?? null);
      this.#infos.set(image, info);
    }
    return info;
  }

  #inform(image: string): void {
    const info = this.#infos.get(image);
    if (info) info.value = this.#at(image)?.info ?? null;
  }

  // ---- changes, which `paint` shows ----

  keep(shown: Shown): void {
    this.#kept.set(shown.info.image, this.#measured(shown));
    this.#fresh.add(shown.info.image);
  }

  /** Shows a heatmap in place of the image's own until the trials end. */
  tryOut(shown: Shown): void {
    this.#trials.set(shown.info.image, this.#measured(shown));
    this.#fresh.add(shown.info.image);
  }

  #measured(shown: Shown): Painted {
    const { info, values, unit } = shown;
    const [height, width] = info.shape;
    let display = values;
    if (info.pixelwise) {
      display = new Float32Array(values.length);
      smoothen(values, width, height, display);
    }
    const { largest, reach } = this.#magnitudes.count(display);
    // A heatmap that is broken has no part in the scale of the others.
    const known = Number.isFinite(unit) ? unit : 0;
    return { ...shown, display, largest: largest * known, reach: reach * known };
  }

  endTrials(): void {
    for (const image of this.#trials.keys()) this.#fresh.add(image);
    this.#trials.clear();
  }

  forget(image: string): void {
    this.#kept.delete(image);
    this.#trials.delete(image);
    this.#fresh.add(image);
  }

  clear(): void {
    for (const image of [...this.#kept.keys(), ...this.#trials.keys()]) this.forget(image);
  }

  /** Changes what is known about a kept heatmap, at once: its pixels stay. */
  amend(image: string, news: Partial<HeatmapInfo>): void {
    const kept = this.#kept.get(image);
    if (!kept) return;
    this.#kept.set(image, { ...kept, info: { ...kept.info, ...news } });
    this.#inform(image);
    const shown = this.#at(image);
    if (shown) this.canvases.describe(shown);
  }

  /** Brings the scale up to date and paints what has changed; returns whether anything has. */
  paint(course: Course): boolean {
    const places = [...this.#trials.values()].filter(({ info }) => info.trial === "place");
    const moved = [this.scale.follow(this.#kept.values(), course), this.placeScale.follow(places, GROWING)];
    const rescaled = moved.some(Boolean) && this.#isShared();
    const painted = this.#fresh.size > 0 || rescaled;
    batch(() => {
      for (const image of this.#fresh) {
        this.#inform(image);
        if (!rescaled || !this.#at(image)) this.#paint(image);
      }
      if (rescaled) this.paintAll();
    });
    this.#fresh.clear();
    return painted;
  }

  paintAll(): void {
    for (const image of new Set([...this.#kept.keys(), ...this.#trials.keys()])) this.#paint(image);
  }

  #paint(image: string): void {
    const shown = this.#at(image);
    if (shown) this.canvases.paint(shown, this.#limitOf(shown));
    else this.canvases.wipe(image);
  }

  /** The value that is painted with the map's end colours on this image. */
  limit(image: string): number {
    const shown = this.#at(image);
    return shown ? this.#limitOf(shown) : 0;
  }

  #limitOf({ info, reach }: Painted): number {
    const scale = info.trial === "place" ? this.placeScale : this.scale;
    return (this.#isShared() && scale.limit(groupOf(info))) || reach;
  }

  /** Registers a canvas for an image and paints what is known; returns a function that unregisters it. */
  attach(image: string, canvas: HTMLCanvasElement): () => void {
    const detach = this.canvases.attach(image, canvas);
    this.#paint(image);
    return detach;
  }

  /** The value at a point of the frame, given in fractions of it, and what it is painted as. */
  sample(image: string, x: number, y: number): { value: number; display: number } | null {
    const shown = this.#at(image);
    if (!shown || x < 0 || y < 0 || x >= 1 || y >= 1) return null;
    const [rows, columns] = shown.info.shape;
    const at = Math.floor(y * rows) * columns + Math.floor(x * columns);
    const { [at]: value } = shown.values;
    return value === undefined ? null : { value: value * shown.unit, display: (shown.display[at] ?? 0) * shown.unit };
  }

  dispose(): void {
    this.scale.dispose();
    this.placeScale.dispose();
  }
}
