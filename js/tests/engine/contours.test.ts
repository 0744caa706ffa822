import { describe, expect, test } from "vitest";
import { traceContour } from "../../src/engine/contours";

type Piece = [number, number, number, number];

function trace(values: number[], width: number, level: number, scale = 1, step = 1): Piece[] {
  const pieces: Piece[] = [];
  let from: [number, number] = [0, 0];
  const height = values.length / width;
  const pen = {
    moveTo: (x: number, y: number) => {
      from = [x, y];
    },
    lineTo: (x: number, y: number) => pieces.push([...from, x, y]),
  };
  const grid = { values: Float32Array.from(values), width, height, across: scale * width, down: scale * height, step };
  traceContour(pen, grid, level);
  return pieces;
}

/** A piece as a set of ends, whichever way it is drawn. */
const ends = (pieces: Piece[]) => pieces.map(([a, b, c, d]) => [`${a},${b}`, `${c},${d}`].sort().join(" ")).sort();

test("a slope is crossed where linear interpolation has the level, between pixel centres", () => {
  expect(ends(trace([0, 1, 0, 1], 2, 0.25))).toEqual(["0.75,0.5 0.75,1.5"]);
  expect(ends(trace([0, 0, 1, 1], 2, 0.25, 10))).toEqual(["15,7.5 5,7.5"]);
});

test("with a step, pixels in between are passed over", () => {
  expect(ends(trace([0, 9, 1, 9, 9, 9, 0, 9, 1], 3, 0.25, 1, 2))).toEqual(["1,0.5 1,2.5"]);
});

test("a negative level bounds what is below it, at the same place", () => {
  expect(ends(trace([0, -1, 0, -1], 2, -0.25))).toEqual(ends(trace([0, 1, 0, 1], 2, 0.25)));
  expect(trace([0, 1, 0, 1], 2, -0.25)).toEqual([]);
});

test("a single pixel above the level has a closed diamond around it", () => {
  const pieces = trace([0, 0, 0, 0, 1, 0, 0, 0, 0], 3, 0.5);
  expect(ends(pieces)).toEqual(["1,1.5 1.5,1", "1,1.5 1.5,2", "1.5,1 2,1.5", "1.5,2 2,1.5"]);
});

test("at a saddle both corners above the level stay apart", () => {
  expect(ends(trace([1, 0, 0, 1], 2, 0.5))).toEqual(["0.5,1 1,0.5", "1,1.5 1.5,1"]);
  expect(ends(trace([0, 1, 1, 0], 2, 0.5))).toEqual(["0.5,1 1,1.5", "1,0.5 1.5,1"]);
});

describe("nothing to trace", () => {
  test("where all values are equal, also to the level", () => {
    expect(trace([1, 1, 1, 1], 2, 0.5)).toEqual([]);
    expect(trace([0.5, 0.5, 0.5, 0.5], 2, 0.5)).toEqual([]);
  });

  test("in a single row", () => expect(trace([0, 1, 0], 3, 0.5)).toEqual([]));
});

test("the ends of a circle's pieces lie on the circle", () => {
  const side = 41;
  const values = Array.from({ length: side * side }, (_, i) => {
    const [x, y] = [(i % side) - 20, Math.floor(i / side) - 20];
    return 20 - Math.hypot(x, y);
  });
  const pieces = trace(values, side, 8);
  expect(pieces.length).toBeGreaterThan(60);
  for (const [x, y] of pieces) expect(Math.abs(Math.hypot(x - 20.5, y - 20.5) - 12)).toBeLessThan(0.03);
  // Closed: every end is the end of two pieces.
  const met = new Map<string, number>();
  for (const [a, b, c, d] of pieces)
    for (const end of [`${a.toFixed(6)},${b.toFixed(6)}`, `${c.toFixed(6)},${d.toFixed(6)}`])
      met.set(end, (met.get(end) ?? 0) + 1);
  expect([...met.values()].every((times) => times === 2)).toBe(true);
});
