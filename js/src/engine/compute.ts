import { combine, type ImageProducts } from "./products";
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

  /**
   * The heatmap of an image for a canvas of `side` device pixels, written into `values` where their number is right; null
   * while a member has no product.
   */
  compute(products: ImageProducts, weights: Weights, side: number, values?: Float32Array): Computed | null {
    const { k } = products.spread;
    if (this.#sum.length <= k) this.#sum = new Float64Array(k + 1);
    if (combine(products, weights, this.#sum) !== null) return null;
    const spread = products.spread.fitting(side);
    const [height, width] = spread.size;
    const pixels = values?.length === height * width ? values : new Float32Array(height * width);
    const peak = spread.map(this.#sum, pixels);
    return { values: pixels, shape: [height, width], peak, score: this.#sum[k] as number };
  }
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
