import { type CellGrid, type Place, weighCell } from "../engine/cells";
import { Computer, type Share, sharesOf } from "../engine/compute";
import { ATTRIBUTION } from "../engine/layers";
import { ProductStore } from "../engine/products";
import { type Nothing, type Weights, weigh } from "../engine/weights";
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
  #failed: ReadonlySet<string> = new Set();
  /** The memory of heatmaps, used again by the next ones: of the present bins, and of trials. */
  readonly #values = [new Map<string, Float32Array>(), new Map<string, Float32Array>()] as const;

  /** Takes products; returns the images that have new ones. */
  take(message: Products, buffers: DataView[], isShown: (image: string) => boolean): string[] {
    return this.#store.take(message, buffers, isShown);
  }

  /** Notes the members that could not be encoded; returns whether they differ from before. */
  fail(members: readonly string[]): boolean {
    const before = this.#failed;
    if (members.length === before.size && members.every((member) => before.has(member))) return false;
    this.#failed = new Set(members);
    return true;
  }

  /** The images that have products. */
  get images(): Iterable<string> {
    return this.#store.images;
  }

  has(image: string): boolean {
    return this.#store.has(image);
  }

  weigh(question: PageQuestion): Weights | Nothing {
    return weigh(question, this.#failed);
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
    const products = question.layer === ATTRIBUTION && this.#store.of(image, question.settings);
    if (!products) return null;
    const kept = this.#values[trial ? 1 : 0];
    const computed = this.#computer.compute(products, weights, side, kept.get(image));
    if (!computed) return null;
    const { values, ...numbers } = computed;
    kept.set(image, values);
    const { method, preview, progress } = products;
    const info = { image, method, layer: ATTRIBUTION, preview, progress, ...numbers, version, stale: false, trial };
    return { info, values, unit: 1, question };
  }

  /** The number of rows that a heatmap of the image has for a canvas of `side` pixels. */
  rows(image: string, { settings }: PageQuestion, side: number): number | undefined {
    return this.#store.of(image, settings)?.spread.fitting(side).size[0];
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
