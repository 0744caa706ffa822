/** What is computed of each pixel's window once: the means of three colours, and the inverse of their covariance. */
const FIT = 9;
/** What is summed over windows: of a map, then of an offset and three slopes. */
const SUMS = 4;

/** Memory that filters share, so that an update allocates nothing. */
export class FilterMemory {
  /** A row of summands between zeros, which are what lies beyond the borders. */
  row = new Float64Array(0);
  /** Sums over the window of each pixel of a row. */
  windows = new Float64Array(0);
  /** For each pixel, sums over the pixels of its window that are in its row. */
  readonly lines: [Float32Array, Float32Array] = [new Float32Array(0), new Float32Array(0)];

  /** Makes room for a filter. */
  fit([height, width]: readonly [number, number], radius: number): void {
    const [row, line] = [SUMS * (width + 2 * radius + 1), SUMS * width];
    if (this.row.length !== row) this.row = new Float64Array(row);
    if (this.windows.length !== line) this.windows = new Float64Array(line);
    if (this.lines[0].length < height * line) {
      this.lines[0] = new Float32Array(height * line);
      this.lines[1] = new Float32Array(height * line);
    }
  }
}

/**
 * The guided filter (He, Sun & Tang, ECCV 2010) with a colour picture as its guide, as in `attribution/guided_filter.py`.
 *
 * Means over windows come from running sums, first along the rows and then down the columns.
 */
export class GuidedFilter {
  /** The guide's colours, less their means: the result does not depend on an offset. */
  readonly #colours: Float32Array;
  readonly #fit: Float32Array;
  /** One over the number of columns in each pixel's window, and over the number of rows. */
  readonly #across: Float64Array;
  readonly #down: Float64Array;

  /**
   * @param size height and width of the guide, and of the maps that can be filtered
   * @param radius half the window's side, in pixels
   * @param epsilon variance of the colours, of 0 to 1, from which on an edge is kept
   * @param pixels red, green and blue of each pixel of the guide, row by row
   */
  constructor(
    readonly size: readonly [number, number],
    readonly radius: number,
    epsilon: number,
    pixels: Uint8Array,
    readonly memory: FilterMemory,
  ) {
    const [height, width] = size;
    this.#across = shares(width, radius);
    this.#down = shares(height, radius);
    this.#colours = centred(pixels);
    this.#fit = new Float32Array(FIT * height * width);
    memory.fit(size, radius);
    this.#prepare(epsilon);
  }

  /** Computes what does not depend on a map. */
  #prepare(epsilon: number): void {
    const [red, green, blue] = [this.#colourSums(0), this.#colourSums(1), this.#colourSums(2)];
    const fit = this.#fit;
    for (let [i, at] = [0, 0]; i < red.length; i += SUMS, at += FIT) {
      const [r, g, b] = [red[i] as number, green[i] as number, blue[i] as number];
      const rr = (red[i + 1] as number) - r * r + epsilon;
      const gg = (green[i + 2] as number) - g * g + epsilon;
      const bb = (blue[i + 3] as number) - b * b + epsilon;
      const rg = (red[i + 2] as number) - r * g;
      const rb = (red[i + 3] as number) - r * b;
      const gb = (green[i + 3] as number) - g * b;
      const [a, c, e] = [gg * bb - gb * gb, gb * rb - rg * bb, rg * gb - gg * rb]; // cofactors of the first row
      const scale = 1 / (rr * a + rg * c + rb * e);
      fit[at] = r;
      fit[at + 1] = g;
      fit[at + 2] = b;
      fit[at + 3] = a * scale;
      fit[at + 4] = (rr * bb - rb * rb) * scale;
      fit[at + 5] = (rr * gg - rg * rg) * scale;
      fit[at + 6] = c * scale;
      fit[at + 7] = e * scale;
      fit[at + 8] = (rg * rb - rr * gb) * scale;
    }
  }

  /** The means over windows of one colour and of its products with all three. */
  #colourSums(channel: number): Float64Array {
    const [across, { windows, lines }] = [this.#across, this.memory];
    const length = SUMS * this.size[1];
    const found = new Float64Array((SUMS * this.#colours.length) / 3);
    this.#sumProducts(this.#colours.subarray(channel), 3);
    this.#sumDown(lines[0], (y, share) => {
      for (let i = 0; i < length; i++)
        found[y * length + i] = (windows[i] as number) * share * (across[i >> 2] as number);
    });
    return found;
  }

  /** Filters a map in place. */
  apply(map: Float32Array): void {
    const [colours, fit, across, width] = [this.#colours, this.#fit, this.#across, this.size[1]];
    this.memory.fit(this.size, this.radius);
    const { row, windows, lines } = this.memory;
    const [products, models] = lines;
    this.#sumProducts(map, 1);
    const start = SUMS * (this.radius + 1);
    this.#sumDown(products, (y, share) => {
      let [at, to] = [FIT * y * width, start];
      for (let x = 0; x < width; x++) {
        const part = share * (across[x] as number);
        const mean = (windows[SUMS * x] as number) * part;
        const [red, green, blue] = [fit[at] as number, fit[at + 1] as number, fit[at + 2] as number];
        const r = (windows[SUMS * x + 1] as number) * part - red * mean;
        const g = (windows[SUMS * x + 2] as number) * part - green * mean;
        const b = (windows[SUMS * x + 3] as number) * part - blue * mean;
        const [rg, rb, gb] = [fit[at + 6] as number, fit[at + 7] as number, fit[at + 8] as number];
        const slopeRed = (fit[at + 3] as number) * r + rg * g + rb * b;
        const slopeGreen = rg * r + (fit[at + 4] as number) * g + gb * b;
        const slopeBlue = rb * r + gb * g + (fit[at + 5] as number) * b;
        row[to] = mean - slopeRed * red - slopeGreen * green - slopeBlue * blue;
        row[to + 1] = slopeRed;
        row[to + 2] = slopeGreen;
        row[to + 3] = slopeBlue;
        at += FIT;
        to += SUMS;
      }
      this.#sumAlong(models, y);
    });
    this.#sumDown(models, (y, share) => {
      for (let x = 0; x < width; x++) {
        const [i, at] = [y * width + x, SUMS * x];
        const value =
          (windows[at] as number) +
          (windows[at + 1] as number) * (colours[3 * i] as number) +
          (windows[at + 2] as number) * (colours[3 * i + 1] as number) +
          (windows[at + 3] as number) * (colours[3 * i + 2] as number);
        map[i] = value * share * (across[x] as number);
      }
    });
  }

  /** Sums a map, whose pixels are `step` numbers apart, and its products with the colours along each row. */
  #sumProducts(map: Float32Array, step: number): void {
    const [height, width] = this.size;
    const [colours, { row, lines }] = [this.#colours, this.memory];
    row.fill(0);
    for (let y = 0; y < height; y++) {
      let to = SUMS * (this.radius + 1);
      for (let i = y * width; i < (y + 1) * width; i++) {
        const value = map[i * step] as number;
        row[to] = value;
        row[to + 1] = value * (colours[3 * i] as number);
        row[to + 2] = value * (colours[3 * i + 1] as number);
        row[to + 3] = value * (colours[3 * i + 2] as number);
        to += SUMS;
      }
      this.#sumAlong(lines[0], y);
    }
  }

  /** Sums the memory's row over the part of each pixel's window that is in it. */
  #sumAlong(sums: Float32Array, y: number): void {
    const { row } = this.memory;
    const [length, reach] = [SUMS * this.size[1], SUMS * (2 * this.radius + 1)];
    let [a, b, c, d] = [0, 0, 0, 0];
    for (let i = 0; i < reach; i += SUMS) {
      a += row[i] as number;
      b += row[i + 1] as number;
      c += row[i + 2] as number;
      d += row[i + 3] as number;
    }
    let to = y * length;
    for (let i = 0; i < length; i += SUMS) {
      a += (row[i + reach] as number) - (row[i] as number);
      b += (row[i + reach + 1] as number) - (row[i + 1] as number);
      c += (row[i + reach + 2] as number) - (row[i + 2] as number);
      d += (row[i + reach + 3] as number) - (row[i + 3] as number);
      sums[to] = a;
      sums[to + 1] = b;
      sums[to + 2] = c;
      sums[to + 3] = d;
      to += SUMS;
    }
  }

  /** Calls `take` for each row when `windows` has its sums, with one over the number of rows in its windows. */
  #sumDown(lines: Float32Array, take: (y: number, share: number) => void): void {
    const [{ radius, memory }, height] = [this, this.size[0]];
    const length = memory.windows.length;
    memory.windows.fill(0);
    for (let y = 0; y < Math.min(radius, height); y++) add(memory.windows, lines, y * length);
    for (let y = 0; y < height; y++) {
      if (y + radius < height) add(memory.windows, lines, (y + radius) * length);
      if (y > radius) subtract(memory.windows, lines, (y - radius - 1) * length);
      take(y, this.#down[y] as number);
    }
  }
}

function add(sums: Float64Array, lines: Float32Array, at: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) + (lines[at + i] as number);
}

function subtract(sums: Float64Array, lines: Float32Array, at: number): void {
  for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] as number) - (lines[at + i] as number);
}

/** One over the number of pixels, of `length` in a row, that each pixel's window holds. */
const shares = (length: number, radius: number): Float64Array =>
  Float64Array.from({ length }, (_, i) => 1 / (Math.min(length, i + radius + 1) - Math.max(0, i - radius)));

/** Colours of 0 to 1, less the mean of each. */
function centred(pixels: Uint8Array): Float32Array {
  const sums = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) sums[i % 3] = (sums[i % 3] as number) + (pixels[i] as number);
  const found = new Float32Array(pixels.length);
  for (let i = 0; i < pixels.length; i++)
    found[i] = ((pixels[i] as number) - (3 * (sums[i % 3] as number)) / pixels.length) / 255;
  return found;
}
