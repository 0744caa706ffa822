/** The spread: a fixed linear map from a heatmap's few cells to its pixels, `rows · cells · columnsᵀ`. */

/** Heatmaps are computed at this side at most, in pixels; what is painted larger is enlarged by the canvas. */
const LARGEST = 112;

export class Spread {
  #half: Spread | null | undefined;
  /** `cells · columnsᵀ`, and one line of the heatmap: kept, so that an update allocates nothing. */
  readonly #across: Float64Array;
  readonly #line: Float64Array;

  /**
   * @param cells how many cells there are, as rows and columns
   * @param size height and width of the heatmap in pixels
   * @param rows the matrix height × cells[0], row by row
   * @param columns the matrix width × cells[1], row by row
   */
  constructor(
    readonly cells: readonly [number, number],
    readonly size: readonly [number, number],
    readonly rows: Float32Array,
    readonly columns: Float32Array,
  ) {
    const [[down, across], [height, width]] = [cells, size];
    if (rows.length !== height * down || columns.length !== width * across)
      throw new RangeError(
        `A spread of ${cells.join(" × ")} cells over ${size.join(" × ")} pixels has other matrices.`,
      );
    this.#across = new Float64Array(down * width);
    this.#line = new Float64Array(width);
  }

  /** The number of cells. */
  get k(): number {
    return this.cells[0] * this.cells[1];
  }

  get #side(): number {
    return Math.max(...this.size);
  }

  /** The spread over half as many pixels a side, each the average of four; null where a side is odd. */
  get half(): Spread | null {
    const [height, width] = this.size;
    if (this.#half === undefined) {
      const even = height % 2 === 0 && width % 2 === 0;
      this.#half = even
        ? new Spread(
            this.cells,
            [height / 2, width / 2],
            averagedPairs(this.rows, height),
            averagedPairs(this.columns, width),
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

  /** Writes the heatmap of the first k numbers of `cells` into `pixels`, row by row; returns its largest absolute value. */
  map(cells: Float64Array, pixels: Float32Array): number {
    const [[down, across], [height, width]] = [this.cells, this.size];
    const [rows, columns, between, line] = [this.rows, this.columns, this.#across, this.#line];
    for (let r = 0; r < down; r++) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let c = 0; c < across; c++) sum += (cells[r * across + c] as number) * (columns[x * across + c] as number);
        between[r * width + x] = sum;
      }
    }
    let peak = 0;
    for (let y = 0; y < height; y++) {
      line.fill(0);
      for (let r = 0; r < down; r++) {
        const part = rows[y * down + r] as number;
        if (part === 0) continue; // most are, where cells are spread bilinearly
        for (let x = 0; x < width; x++) line[x] = (line[x] as number) + part * (between[r * width + x] as number);
      }
      for (let x = 0; x < width; x++) {
        const value = line[x] as number;
        pixels[y * width + x] = value;
        const size = value < 0 ? -value : value;
        if (size > peak) peak = size;
      }
    }
    return peak;
  }
}

/** A matrix with half as many rows, each the mean of two. */
function averagedPairs(matrix: Float32Array, rows: number): Float32Array {
  const width = matrix.length / rows;
  const half = new Float32Array(matrix.length / 2);
  for (let i = 0; i < half.length; i++) {
    const at = Math.floor(i / width) * 2 * width + (i % width);
    half[i] = ((matrix[at] as number) + (matrix[at + width] as number)) / 2;
  }
  return half;
}
