import { expect, test } from "vitest";
import { Spread } from "../../src/engine/spread";

const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 7.3 * i));
const spread = (height: number, width: number, rows = 3, columns = 2) =>
  new Spread([rows, columns], [height, width], numbers(height * rows, 1), numbers(width * columns, 2));

/** The heatmap by its definition. */
function direct(
  { cells: [down, across], size: [height, width], rows, columns }: Spread,
  cells: Float64Array,
): number[] {
  return Array.from({ length: height * width }, (_, i) => {
    const [y, x] = [Math.floor(i / width), i % width];
    let sum = 0;
    for (let r = 0; r < down; r++)
      for (let c = 0; c < across; c++)
        sum += (rows[y * down + r] ?? 0) * (cells[r * across + c] ?? 0) * (columns[x * across + c] ?? 0);
    return sum;
  });
}

test("maps cells to pixels, and returns the largest absolute value", () => {
  const [one, cells, pixels] = [spread(6, 10), Float64Array.from(numbers(7, 3)), new Float32Array(60)];
  const peak = one.map(cells, pixels);
  const expected = direct(one, cells);
  for (const [i, value] of expected.entries()) expect(pixels[i]).toBeCloseTo(value, 6);
  expect(peak).toBeCloseTo(Math.max(...expected.map(Math.abs)), 6);
});

test("half of the pixels a side are means of four", () => {
  const [one, cells, pixels] = [spread(6, 10), Float64Array.from(numbers(6, 3)), new Float32Array(15)];
  one.half?.map(cells, pixels);
  const full = direct(one, cells);
  for (const [i, value] of pixels.entries()) {
    const [y, x] = [Math.floor(i / 5) * 2, (i % 5) * 2];
    const four = [full[y * 10 + x], full[y * 10 + x + 1], full[y * 10 + x + 10], full[y * 10 + x + 11]];
    expect(value).toBeCloseTo(four.reduce<number>((sum, each) => sum + (each ?? 0), 0) / 4, 6);
  }
});

test("the size fits the canvas: at most 112, at least half of what is painted, and halved exactly or not at all", () => {
  const sides = (full: number, side: number) => spread(full, full).fitting(side).size[0];
  expect([1000, 225, 224, 113, 112, 96, 56, 20].map((side) => sides(224, side))).toEqual([
    112, 112, 112, 112, 56, 56, 28, 14,
  ]);
  expect(sides(300, 1000)).toBe(75);
  expect(sides(75, 10)).toBe(75);
  expect(spread(224, 112).fitting(1000).size).toEqual([112, 56]);
});

test("matrices of another size are refused", () => {
  expect(() => new Spread([2, 2], [4, 4], new Float32Array(8), new Float32Array(7))).toThrow(RangeError);
});
