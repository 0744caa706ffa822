import { ATTRIBUTION, STABILITY } from "./layers";
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

/** Side for which deviations are computed: they are as smooth as heatmaps, and take one of each member. */
const DEVIATION_SIDE = 56;
/** Most heatmaps from which a deviation is computed; as in `live/sender.py`. */
export const MOST_MAPS = 64;
/** As how many of them a filtered one counts; as in `live/sent.py`. */
export const FILTER_COST = 16;

/** Computes heatmaps and scores from products. */
export class Computer {
  #sum = new Float64Array(0);
  #mean = new Float64Array(0);
  /** A heatmap at the size of its guide, and that of one member. */
  #whole = new Float32Array(0);
  #single = new Float32Array(0);

  /** The spread with which a layer is computed for a canvas of `side` device pixels. */
  fitting({ spread }: ImageProducts, layer: string, side: number): Spread {
    return spread.fitting(layer === STABILITY ? DEVIATION_SIDE : side);
  }

  /**
   * A layer of an image for a canvas of `side` device pixels, written into `values` where their number is right; null while
   * a member has no product, and for a layer that cannot be computed.
   */
  compute(
    products: ImageProducts,
    weights: Weights,
    layer: string,
    side: number,
    values?: Float32Array,
  ): Computed | null {
    const { k } = products.spread;
    if (this.#sum.length <= k) [this.#sum, this.#mean] = [new Float64Array(k + 1), new Float64Array(k + 1)];
    if (combine(products, weights, this.#sum) !== null) return null;
    const score = this.#sum[k] as number;
    const spread = this.fitting(products, layer, side);
    const [height, width] = spread.size;
    const pixels = values?.length === height * width ? values : new Float32Array(height * width);
    if (layer === ATTRIBUTION) this.#map(products, spread, pixels);
    else if (layer !== STABILITY || !this.#deviate(products, weights, spread, pixels)) return null;
    return { values: pixels, shape: [height, width], peak: largest(pixels), score };
  }

  /** Writes the heatmap of the sum, filtered at the guide's size and averaged down where there is a filter. */
  #map({ spread: whole, filter }: ImageProducts, spread: Spread, pixels: Float32Array): void {
    if (!filter) return spread.map(this.#sum, pixels);
    const [height, width] = whole.size;
    if (this.#whole.length !== height * width) this.#whole = new Float32Array(height * width);
    const filtered = pixels.length === height * width ? pixels : this.#whole;
    whole.map(this.#sum, filtered);
    filter.apply(filtered);
    if (filtered !== pixels) average(filtered, whole.size, pixels, spread.size);
  }

  /**
   * Writes the standard deviation of the heatmap over all draws of the bins, as in `insight/stability.py`: the variances
   * `Σ (h − mean h)² / (m (m − 1))` of both bins, of the heatmaps h of m members, add up. Returns false where they have
   * too many members, or a single one.
   */
  #deviate(products: ImageProducts, weights: Weights, spread: Spread, pixels: Float32Array): boolean {
    const { members, filter, preview } = products;
    if (preview || weights.members.length * (filter ? FILTER_COST : 1) > MOST_MAPS) return false;
    if (this.#single.length !== pixels.length) this.#single = new Float32Array(pixels.length);
    pixels.fill(0);
    const [sum, mean, single] = [this.#sum, this.#mean, this.#single];
    for (const bin of ["corpus", "foil"]) {
      const each = weights.members.filter((member) => member.bin === bin).map(({ image }) => members.get(image) ?? []);
      const count = each.length;
      if (count === 1) return false;
      mean.fill(0);
      for (const product of each)
        for (let i = 0; i < product.length; i++) mean[i] = (mean[i] as number) + (product[i] as number) / count;
      for (const product of each) {
        for (let i = 0; i < product.length; i++) sum[i] = (product[i] as number) - (mean[i] as number);
        this.#map(products, spread, single);
        for (let i = 0; i < pixels.length; i++)
          pixels[i] = (pixels[i] as number) + (single[i] as number) ** 2 / (count * (count - 1));
      }
    }
    for (let i = 0; i < pixels.length; i++) pixels[i] = Math.sqrt(pixels[i] as number);
    return true;
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
