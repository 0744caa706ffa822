import { expect, test } from "vitest";
import { linePath, range, ticks } from "../../src/insight/chart";

test("ticks are round and within the range", () => {
  expect(ticks(-0.11, 0.37, 5)).toEqual([-0.1, 0, 0.1, 0.2, 0.3]);
  expect(ticks(0, 1, 2)).toEqual([0, 0.5, 1]);
  expect(ticks(-0.0003, 0.0004, 5)).toEqual([-0.0002, 0, 0.0002, 0.0004]);
  expect(ticks(1230, 1910, 5)).toEqual([1400, 1600, 1800]);
  expect(ticks(2, 2, 3)).toEqual([2]);
  expect(Object.is(ticks(-1, 1, 2)[1], 0)).toBe(true);
});

test("a range holds every finite value, also of flat lines", () => {
  const [low, high] = range([0, 1], [2, Number.NaN]);
  expect(low).toBeLessThan(0);
  expect(high).toBeGreaterThan(2);
  expect(range([3, 3])[0]).toBeLessThan(3);
  expect(range([0, 0])).toEqual([-0.5, 0.5]);
  expect(range([], [Number.NaN])).toEqual([0, 1]);
});

test("a line breaks where there is no value", () => {
  expect(linePath([0, 1, 2, 3], [5, 6, Number.NaN, 7])).toBe("M0.0 5.0L1.0 6.0M3.0 7.0");
  expect(linePath([0, 1], [5])).toBe("M0.0 5.0");
});
