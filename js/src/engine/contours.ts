/**
 * The edges of a square that a contour joins, in pairs, for each set of corners above the level. Corners are bits, clockwise
 * from the top left one; edges are 0 to 3, clockwise from the top one. At a saddle the corners above the level stay apart.
 */
const PIECES: readonly (readonly number[])[] = [
  [],
  [3, 0],
  [0, 1],
  [3, 1],
  [1, 2],
  [3, 0, 1, 2],
  [0, 2],
  [3, 2],
  [2, 3],
  [2, 0],
  [0, 1, 2, 3],
  [2, 1],
  [1, 3],
  [1, 0],
  [0, 3],
  [],
];

/** What contours are traced on: a canvas's context or a path. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
}

/** The pixels of a heatmap, and the size at which it is shown. */
export interface Grid {
  values: Float32Array;
  width: number;
  height: number;
  /** Width and height in units of the pen. */
  across: number;
  down: number;
  /** Takes every so many pixels only: lines need not be finer than what is seen. */
  step: number;
}

/**
 * Traces where a heatmap crosses `level`, by marching squares (Lorensen and Cline, SIGGRAPH 1987, in two dimensions):
 * a straight piece in each square between four pixel centres, two where it is a saddle. A negative level bounds the values
 * below it. What is no number is on no side of a level, and has no contour.
 */
export function traceContour(pen: Pen, { values, width, height, across, down, step }: Grid, level: number): void {
  const [sign, size] = [level < 0 ? -1 : 1, Math.abs(level)];
  const [unitX, unitY] = [across / width, down / height];
  const [stepX, stepY, below] = [step * unitX, step * unitY, step * width];
  for (let y = 0; y + step < height; y += step) {
    const top = (y + 0.5) * unitY;
    for (let x = 0; x + step < width; x += step) {
      const at = y * width + x;
      // How far the corners are above the level.
      const a = sign * (values[at] as number) - size;
      const b = sign * (values[at + step] as number) - size;
      const c = sign * (values[at + below + step] as number) - size;
      const d = sign * (values[at + below] as number) - size;
      const corners = (a > 0 ? 1 : 0) | (b > 0 ? 2 : 0) | (c > 0 ? 4 : 0) | (d > 0 ? 8 : 0);
      if (corners === 0 || corners === 15) continue;
      const left = (x + 0.5) * unitX;
      const pieces = PIECES[corners] as readonly number[];
      for (let i = 0; i < pieces.length; i++) {
        const edge = pieces[i] as number;
        const along = edge === 0 ? a / (a - b) : edge === 1 ? b / (b - c) : edge === 2 ? d / (d - c) : a / (a - d);
        const px = edge === 1 ? left + stepX : edge === 3 ? left : left + along * stepX;
        const py = edge === 0 ? top : edge === 2 ? top + stepY : top + along * stepY;
        if (i % 2 === 0) pen.moveTo(px, py);
        else pen.lineTo(px, py);
      }
    }
  }
}
