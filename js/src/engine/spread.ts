import { SeparableTerm } from "./separable-term";
import type { SparseTerm } from "./sparse-term";

/** Heatmaps are computed at this side at most, in pixels; what is painted larger is enlarged by the canvas. */
const LARGEST = 112;

export type Term = SeparableTerm | SparseTerm;

/** The spread: a fixed linear map from a heatmap's few cells to its pixels, as a sum of terms that share the cells out. */
export class Spread {
  #half: Spread | null | undefined;
  readonly k: number;

  /**
   * @param size height and width of the heatmap in pixels
   * @param terms each takes the cells after those of the terms before it
   */
  constructor(
    readonly size: readonly [number, number],
    readonly terms: readonly Term[],
  ) {
    this.k = terms.reduce((sum, term) => sum + term.k, 0);
  }

  get #side(): number {
    return Math.max(...this.size);
  }

  /** Whether images may share it; sparse terms belong to a single one. */
  get isShared(): boolean {
    return this.terms.every((term) => term instanceof SeparableTerm);
  }

  equals({ size, terms }: Spread): boolean {
    const same = size[0] === this.size[0] && size[1] === this.size[1] && terms.length === this.terms.length;
    return same && this.terms.every((term, i) => term.equals(terms[i] as Term));
  }

  /** The spread over half as many pixels a side, each the average of four; null where a side is odd. */
  get half(): Spread | null {
    const [height, width] = this.size;
    if (this.#half === undefined) {
      const even = height % 2 === 0 && width % 2 === 0;
      this.#half = even
        ? new Spread(
            [height / 2, width / 2],
            this.terms.map((term) => term.halved()),
          )
        : null;
    }
    return this.#half;
  }

  /** The spread for a canvas of `side` device pixels: no larger than needed, and no less than half as large. */
  fitting(side: number): Spread {
    const { half } = this;
    if (!half || (this.#side <= LARGEST && half.#side < side / 2)) return this;
    return half.fitting(side);
  }

  /** Writes the heatmap of the first k numbers of `cells` into `pixels`, row by row. */
  map(cells: Float64Array, pixels: Float32Array): void {
    pixels.fill(0);
    let first = 0;
    for (const term of this.terms) {
      term.add(cells, first, pixels);
      first += term.k;
    }
  }
}
