/** A term of a spread in which each pixel depends on few of the numbers, such as those of superpixels. */
export class SparseTerm {
  /**
   * @param k how many numbers it takes
   * @param width width of the heatmap in pixels
   * @param starts where the entries of each pixel begin, and their number at the end
   * @param cells for each entry, which number it takes
   * @param weights for each entry, what it multiplies that number with
   */
  constructor(
    readonly k: number,
    readonly width: number,
    readonly starts: Uint32Array,
    readonly cells: Uint16Array,
    readonly weights: Float32Array,
  ) {}

  equals(other: object): boolean {
    return this === other;
  }

  /** The term over half as many pixels a side, each the average of four: it has the entries of all four. */
  halved(): SparseTerm {
    const { width, starts, cells, weights } = this;
    const [across, entries] = [width / 2, cells.length];
    const found = new SparseTerm(
      this.k,
      across,
      new Uint32Array((starts.length - 1) / 4 + 1),
      new Uint16Array(entries),
      new Float32Array(entries),
    );
    let to = 0;
    for (let i = 0; i < found.starts.length - 1; i++) {
      const corner = Math.floor(i / across) * 2 * width + (i % across) * 2;
      // Two pixels beside each other have their entries one after the other.
      for (const from of [corner, corner + width]) {
        for (let entry = starts[from] as number; entry < (starts[from + 2] as number); entry++, to++) {
          found.cells[to] = cells[entry] as number;
          found.weights[to] = (weights[entry] as number) / 4;
        }
      }
      found.starts[i + 1] = to;
    }
    return found;
  }

  /** Adds what the numbers of `cells` from `first` on become to the pixels of a heatmap, row by row. */
  add(cells: Float64Array, first: number, pixels: Float32Array): void {
    const { starts, cells: places, weights } = this;
    for (let i = 0; i < pixels.length; i++) {
      const end = starts[i + 1] as number;
      let sum = pixels[i] as number;
      for (let entry = starts[i] as number; entry < end; entry++)
        sum += (weights[entry] as number) * (cells[first + (places[entry] as number)] as number);
      pixels[i] = sum;
    }
  }
}
