/** A heatmap is painted in full colour from the magnitude on that this part of its values do not exceed. */
const REACH = 0.98;
/** Where nearly all values are tiny, that is too little: a quarter of what these do not exceed is the least. */
const [HIGHEST, LEAST_PART] = [0.998, 0.25];

/** The first 15 bits of a positive float: its exponent, and seven bits of its fraction. */
const SHIFT = 16;
const BINS = 1 << 15;
const INFINITE = 0xff << 7;

/**
 * Counts a heatmap's magnitudes in bins, 128 to a doubling, and reads percentiles from them. No value is
 * sorted, so it costs one pass; a value a thousand times the rest takes up one bin and no more. NaN and infinity count
 * as zero.
 */
export class Magnitudes {
  readonly #counts = new Uint32Array(BINS);
  readonly #bits = new Uint32Array(1);
  readonly #float = new Float32Array(this.#bits.buffer);
  #total = 0;
  /** The bin of the largest magnitude. */
  #top = 0;
  #largest = 0;

  count(values: Float32Array): this {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
    const counts = this.#counts.fill(0);
    let largest = 0;
    for (let i = 0; i < bits.length; i++) {
      const size = (bits[i] as number) & 0x7fffffff;
      const bin = size >>> SHIFT;
      if (bin >= INFINITE) continue;
      counts[bin] = (counts[bin] as number) + 1;
      if (size > largest) largest = size; // positive floats are in the order of their bits
    }
    this.#total = values.length;
    this.#top = largest >>> SHIFT;
    this.#largest = this.#from(largest);
    return this;
  }

  /** The largest magnitude. */
  get largest(): number {
    return this.#largest;
  }

  /** The magnitude that `part` of the values do not exceed, to within a bin. */
  percentile(part: number): number {
    let beyond = (1 - part) * this.#total;
    for (let bin = this.#top; bin > 0; bin--) {
      const count = this.#counts[bin] as number;
      if (count <= beyond) {
        beyond -= count;
        continue;
      }
      const low = this.#from(bin << SHIFT);
      const high = Math.min(this.#from((bin + 1) << SHIFT), this.#largest);
      return high - (high - low) * (beyond / count);
    }
    return 0;
  }

  /** The magnitude that the end colours stand for: close to the largest, but not moved by a few outliers. */
  get reach(): number {
    return Math.max(this.percentile(REACH), LEAST_PART * this.percentile(HIGHEST));
  }

  #from(bits: number): number {
    this.#bits[0] = bits;
    return this.#float[0] as number;
  }
}
