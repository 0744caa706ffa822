/** `rows · cells · columnsᵀ`: a term of a spread that has a matrix for the rows and one for the columns. */
export class SeparableTerm {
  readonly #down: number;
  readonly #across: number;
  readonly #height: number;
  readonly #width: number;
  /** `cells · columnsᵀ`, and one line of the heatmap: kept, so that an update allocates nothing. */
  readonly #between: Float64Array;
  readonly #line: Float64Array;

  /**
   * @param cells how many cells there are, as rows and columns
   * @param rows the matrix height × cells[0], row by row
   * @param columns the matrix width × cells[1], row by row
   */
  constructor(
    readonly cells: readonly [number, number],
    readonly rows: Float32Array,
    readonly columns: Float32Array,
  ) {
    [this.#down, this.#across] = cells;
    this.#height = rows.length / this.#down;
    this.#width = columns.length / this.#across;
    this.#between = new Float64Array(this.#down * this.#width);
    this.#line = new Float64Array(this.#width);
  }

  /** The number of cells. */
  get k(): number {
    return this.#down * this.#across;
  }

  equals(other: object): boolean {
    return other instanceof SeparableTerm && same(this.rows, other.rows) && same(this.columns, other.columns);
  }

  /** The term over half as many pixels a side, each the average of four. */
  halved(): SeparableTerm {
    return new SeparableTerm(
      this.cells,
      averagedPairs(this.rows, this.#height),
      averagedPairs(this.columns, this.#width),
    );
  }

  /** Adds what the cells from `first` on become to the pixels of a heatmap, row by row. */
  add(cells: Float64Array, first: number, pixels: Float32Array): void {
    const [down, across, height, width] = [this.#down, this.#across, this.#height, this.#width];
    const [rows, columns, between, line] = [this.rows, this.columns, this.#between, this.#line];
    for (let r = 0; r < down; r++) {
      const from = first + r * across;
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let c = 0; c < across; c++) sum += (cells[from + c] as number) * (columns[x * across + c] as number);
        between[r * width + x] = sum;
      }
    }
    for (let y = 0; y < height; y++) {
      line.fill(0);
      for (let r = 0; r < down; r++) {
        const part = rows[y * down + r] as number;
        if (part === 0) continue; // most are, where cells are spread bilinearly
        for (let x = 0; x < width; x++) line[x] = (line[x] as number) + part * (between[r * width + x] as number);
      }
      for (let x = 0; x < width; x++) pixels[y * width + x] = (pixels[y * width + x] as number) + (line[x] as number);
    }
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

const same = (a: Float32Array, b: Float32Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
