import type { GuidedFilter } from "./guided-filter";
import { combine, type ImageProducts } from "./products";
import type { Spread } from "./spread";
import type { Member, Weights } from "./weights";

/** A heatmap that the page has computed. */
export interface Computed {
  /** The heatmap row by row, and its height and width. */
  values: Float32Array;
  shape: [number, number];
  /** The largest absolute value. */
  peak: number;
  score: number;
}

/** The part of a score that comes from one member: all parts, and the image's own, sum to the score. */
export interface Share extends Member {
  share: number;
}

/** Computes heatmaps and scores from products. */
export class Computer {
  #sum = new Float64Array(0);
  /** A heatmap at the size of its guide. */
  #whole = new Float32Array(0);

  /**
   * The heatmap of an image for a canvas of `side` device pixels, written into `values` where their number is right; null
   * while a member has no product.
   */
  compute(products: ImageProducts, weights: Weights, side: number, values?: Float32Array): Computed | null {
    const { spread, filter } = products;
    const { k } = spread;
    if (this.#sum.length <= k) this.#sum = new Float64Array(k + 1);
    if (combine(products, weights, this.#sum) !== null) return null;
    const fitting = spread.fitting(side);
    const [height, width] = fitting.size;
    const pixels = values?.length === height * width ? values : new Float32Array(height * width);
    if (filter) this.#filter(spread, filter, pixels, fitting.size);
    else fitting.map(this.#sum, pixels);
    return { values: pixels, shape: [height, width], peak: largest(pixels), score: this.#sum[k] as number };
  }

  /** Filters at the guide's size, and averages down to `size`. */
  #filter(spread: Spread, filter: GuidedFilter, pixels: Float32Array, size: readonly [number, number]): void {
    const [height, width] = spread.size;
    if (this.#whole.length !== height * width) this.#whole = new Float32Array(height * width);
    const whole = pixels.length === height * width ? pixels : this.#whole;
    spread.map(this.#sum, whole);
    filter.apply(whole);
    if (whole !== pixels) average(whole, spread.size, pixels, size);
  }
}

/** Writes the means of a map's squares into the pixels of a map whose sides are shorter by a whole factor. */
function average(
  map: Float32Array,
  [, width]: readonly [number, number],
  pixels: Float32Array,
  [height, across]: readonly [number, number],
): void {
  const factor = width / across;
  const share = 1 / factor ** 2;
  for (let i = 0; i < height * across; i++) {
    const corner = Math.floor(i / across) * factor * width + (i % across) * factor;
    let sum = 0;
    for (let y = 0; y < factor; y++) for (let x = 0; x < factor; x++) sum += map[corner + y * width + x] as number;
    pixels[i] = sum * share;
  }
}

function largest(pixels: Float32Array): number {
  let peak = 0;
  for (let i = 0; i < pixels.length; i++) {
    const value = pixels[i] as number;
    const size = value < 0 ? -value : value;
    if (size > peak) peak = size;
  }
  return peak;
}

/** The share of each member in an image's score; null while a member has no product. */
export function sharesOf({ members, spread }: ImageProducts, weights: Weights): Share[] | null {
  const found: Share[] = [];
  for (const [i, member] of weights.members.entries()) {
    const product = members.get(member.image);
    if (!product) return null;
    found.push({ ...member, share: (weights.each[i] as number) * (product[spread.k] as number) });
  }
  return found;
}
