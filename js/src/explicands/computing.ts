import { type CellGrid, type Place, weighCell } from "../engine/cells";
import { Computer, type Share, sharesOf } from "../engine/compute";
import { ATTRIBUTION } from "../engine/layers";
import { ProductStore } from "../engine/products";
import { type Absent, ALL_PRESENT, type Nothing, type Weights, weigh } from "../engine/weights";
import type { Products } from "../kernel/protocol";
import type { HeatmapInfo, PageQuestion, Shown } from "./heatmap";

/** What a heatmap is computed for: `side` is that of its canvas in device pixels. */
interface Purpose {
  question: PageQuestion;
  weights: Weights;
  side: number;
  version: number;
  trial: HeatmapInfo["trial"];
}

/** The heatmaps that the page can compute itself from the products that it was sent. */
export class HeatmapComputing {
  #store = new ProductStore();
  #computer = new Computer();
  #absent = ALL_PRESENT;
  /** The memory of heatmaps, used again by the next ones: of the present bins, and of trials. */
  readonly #values = [new Map<string, Float32Array>(), new Map<string, Float32Array>()] as const;

  /** Takes products; returns the images that have new ones. */
  take(message: Products, buffers: DataView[], isShown: (image: string) => boolean): string[] {
    return this.#store.take(message, buffers, isShown);
  }

  /** Forgets the products of earlier spaces; returns the newest space. */
  enter(space: number): number {
    return this.#store.enter(space);
  }

  /** Notes the members that heatmaps do without; returns whether they differ from before. */
  miss({ failed, waiting }: { failed: readonly string[]; waiting: readonly string[] }): boolean {
    const before = this.#absent;
    if (isSet(failed, before.failed) && isSet(waiting, before.waiting)) return false;
    this.#absent = { failed: new Set(failed), waiting: new Set(waiting) };
    return true;
  }

  get absent(): Absent {
    return this.#absent;
  }

  /** The images that have products. */
  get images(): Iterable<string> {
    return this.#store.images;
  }

  has(image: string): boolean {
    return this.#store.has(image);
  }

  weigh(question: PageQuestion): Weights | Nothing | null {
    return weigh(question, this.#absent);
  }

  /** The cells with which an image has products; null without any. */
  grid(image: string, { settings }: PageQuestion): CellGrid | null {
    return this.#store.of(image, settings)?.grid ?? null;
  }

  /** The direction of the cell at a place; null while the image has no products with cells. */
  weighPlace(image: string, question: PageQuestion, place: Place): Weights | null {
    const grid = question.layer === ATTRIBUTION ? this.grid(image, question) : null;
    return grid?.image === place.image ? weighCell(grid, place) : null;
  }

  keepCells(image: string | null): void {
    this.#store.keepCells(image);
  }

  /** The heatmap of an image; null while products for it are missing. */
  heatmap(image: string, { question, weights, side, version, trial }: Purpose): Shown | null {
    const products = this.#store.of(image, question.settings);
    if (!products) return null;
    const kept = this.#values[trial ? 1 : 0];
    const computed = this.#computer.compute(products, weights, question.layer, side, kept.get(image));
    if (!computed) return null;
    const { values, ...numbers } = computed;
    kept.set(image, values);
    const { method, preview, progress } = products;
    const info = { image, method, layer: question.layer, preview, progress, ...numbers, version, stale: false, trial };
    return { info, values, unit: 1, question, computed: true };
  }

  /** The number of rows that a heatmap of the image has for a canvas of `side` pixels. */
  rows(image: string, { settings, layer }: PageQuestion, side: number): number | undefined {
    const products = this.#store.of(image, settings);
    return products && this.#computer.fitting(products, layer, side).size[0];
  }

  /** The share of each member in an image's score; null while products for it are missing. */
  shares(image: string, { settings }: PageQuestion, weights: Weights): Share[] | null {
    const products = this.#store.of(image, settings);
    return products ? sharesOf(products, weights) : null;
  }

  drop(isShown: (image: string) => boolean): void {
    this.#store.drop(isShown);
    for (const kept of this.#values) {
      for (const image of [...kept.keys()]) if (!isShown(image)) kept.delete(image);
    }
  }
}

const isSet = (ids: readonly string[], set: ReadonlySet<string>): boolean =>
  ids.length === set.size && ids.every((id) => set.has(id));
