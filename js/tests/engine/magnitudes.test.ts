import { expect, test } from "vitest";
import { Magnitudes } from "../../src/engine/magnitudes";

/** Percentiles without sorting, compared with sorted values; and what the scale makes of values that are unlike photographs' heatmaps. */

/** Reproducible numbers between −1 and 1 (a linear congruential generator). */
function numbers(count: number, change: (x: number) => number = (x) => x): Float32Array {
  let state = 7;
  return Float32Array.from({ length: count }, () => {
    state = (state * 1103515245 + 12345) % 2 ** 31;
    return change(state / 2 ** 30 - 1);
  });
}

const sorted = (values: Float32Array) => [...values].map(Math.abs).sort((a, b) => a - b);

test.each([
  ["uniform", numbers(10_000)],
  ["peaked", numbers(10_000, (x) => x ** 9)],
  ["as small as a pixel's share of a score", numbers(10_000, (x) => 3e-5 * x)],
])("percentiles are those of sorted values, to within a bin: %s", (_, values) => {
  const magnitudes = new Magnitudes().count(values);
  const order = sorted(values);
  expect(magnitudes.largest).toBe(order.at(-1));
  for (const part of [0.5, 0.85, 0.98, 0.998]) {
    const exact = order[Math.floor(part * values.length)] as number;
    expect(Math.abs(magnitudes.percentile(part) / exact - 1)).toBeLessThan(1 / 128);
  }
});

test("one outlier a thousand times the rest does not move the reach", () => {
  const values = numbers(112 * 112);
  const before = new Magnitudes().count(values).reach;
  values[5000] = 1000;
  const magnitudes = new Magnitudes().count(values);
  expect(magnitudes.largest).toBe(1000);
  expect(magnitudes.reach / before).toBeCloseTo(1, 2);
});

test("a small strong place amid next to nothing sets the reach", () => {
  const values = numbers(112 * 112, (x) => 1e-4 * x);
  values.fill(1, 6000, 6000 + 112); // fewer than two in a hundred
  expect(new Magnitudes().count(values).reach).toBeCloseTo(0.25, 2);
});

test("equal values reach to themselves; of none, or of no numbers, there is no reach", () => {
  const magnitudes = new Magnitudes();
  for (const value of [0.7, -0.7, 1e-20]) {
    const { largest, reach } = magnitudes.count(new Float32Array(900).fill(value));
    expect(largest).toBe(Math.fround(Math.abs(value)));
    expect(reach / largest).toBeGreaterThan(0.99);
    expect(reach).toBeLessThanOrEqual(largest);
  }
  for (const values of [new Float32Array(), new Float32Array(9), new Float32Array(9).fill(Number.NaN)])
    expect([magnitudes.count(values).largest, magnitudes.reach]).toEqual([0, 0]);
});

test("what is no number counts as zero, and infinity as no number", () => {
  const values = new Float32Array(100).fill(Number.NaN);
  values.fill(2, 0, 50);
  values[99] = Number.POSITIVE_INFINITY;
  const magnitudes = new Magnitudes().count(values);
  expect(magnitudes.largest).toBe(2);
  expect(magnitudes.percentile(0.4)).toBe(0);
  expect(magnitudes.percentile(0.6)).toBeGreaterThan(1.8);
});
