import { expect, test } from "vitest";
import { SeparableTerm } from "../../src/engine/separable-term";
import { SparseTerm } from "../../src/engine/sparse-term";
import { Spread } from "../../src/engine/spread";

const numbers = (count: number, seed: number) =>
  Float32Array.from({ length: count }, (_, i) => Math.sin(seed + 7.3 * i));
const separable = (height: number, width: number, rows = 3, columns = 2) =>
  new SeparableTerm([rows, columns], numbers(height * rows, 1), numbers(width * columns, 2));
const spread = (height: number, width: number) => new Spread([height, width], [separable(height, width)]);

/** A term of 4 numbers in which each pixel has one to three entries. */
function sparse(height: number, width: number): SparseTerm {
  const counts = Array.from({ length: height * width }, (_, i) => 1 + ((5 * i) % 3));
  const starts = Uint32Array.from([0, ...counts].map((_, i, all) => all.slice(0, i + 1).reduce((a, b) => a + b)));
  const entries = starts.at(-1) as number;
  return new SparseTerm(
    4,
    width,
    starts,
    Uint16Array.from({ length: entries }, (_, i) => (7 * i) % 4),
    numbers(entries, 3),
  );
}

/** The part of a heatmap that comes from one term, by its definition. */
function direct(term: SeparableTerm | SparseTerm, cells: readonly number[], width: number, pixels: number): number[] {
  return Array.from({ length: pixels }, (_, i) => {
    let sum = 0;
    if (term instanceof SparseTerm) {
      for (let e = term.starts[i] ?? 0; e < (term.starts[i + 1] ?? 0); e++)
        sum += (term.weights[e] ?? 0) * (cells[term.cells[e] ?? 0] ?? 0);
      return sum;
    }
    const [y, x] = [Math.floor(i / width), i % width];
    const [down, across] = term.cells;
    for (let r = 0; r < down; r++)
      for (let c = 0; c < across; c++)
        sum += (term.rows[y * down + r] ?? 0) * (cells[r * across + c] ?? 0) * (term.columns[x * across + c] ?? 0);
    return sum;
  });
}

const KINDS = { separable: [separable(6, 10)], sparse: [sparse(6, 10)], sum: [separable(6, 10), sparse(6, 10)] };

test.each(Object.entries(KINDS))("maps cells to pixels: %s", (_, terms) => {
  const one = new Spread([6, 10], terms);
  const [cells, pixels] = [Float64Array.from(numbers(one.k + 1, 3)), new Float32Array(60).fill(5)];
  one.map(cells, pixels);
  const parts = terms.map((term, i) => direct(term, [...cells].slice(i ? 6 : 0), 10, 60));
  for (const [i, value] of pixels.entries())
    expect(value).toBeCloseTo(
      parts.reduce((sum, part) => sum + (part[i] ?? 0), 0),
      5,
    );
});

test.each(Object.entries(KINDS))("half of the pixels a side are means of four: %s", (_, terms) => {
  const one = new Spread([6, 10], terms);
  const [cells, full, pixels] = [Float64Array.from(numbers(one.k, 3)), new Float32Array(60), new Float32Array(15)];
  one.map(cells, full);
  one.half?.map(cells, pixels);
  for (const [i, value] of pixels.entries()) {
    const [y, x] = [Math.floor(i / 5) * 2, (i % 5) * 2];
    const four = [full[y * 10 + x], full[y * 10 + x + 1], full[y * 10 + x + 10], full[y * 10 + x + 11]];
    expect(value).toBeCloseTo(four.reduce<number>((sum, each) => sum + (each ?? 0), 0) / 4, 5);
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

test("equal spreads have the same size and matrices; sparse ones belong to one image", () => {
  expect(spread(6, 10).equals(spread(6, 10))).toBe(true);
  expect(spread(6, 10).equals(spread(6, 12))).toBe(false);
  expect(spread(6, 10).equals(new Spread([6, 10], [separable(6, 10, 2, 3)]))).toBe(false);
  expect(spread(6, 10).equals(new Spread([6, 10], KINDS.sum))).toBe(false);
  expect(new Spread([6, 10], [sparse(6, 10)]).equals(new Spread([6, 10], [sparse(6, 10)]))).toBe(false);
  expect([spread(6, 10).isShared, new Spread([6, 10], KINDS.sum).isShared]).toEqual([true, false]);
});
