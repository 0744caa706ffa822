import { expect, test } from "vitest";
import { halfText, scoreLimit, scoreText } from "../../src/explicands/score";

test("a scale ends at a round number that holds every score", () => {
  expect([0.692, 1.06, 0.05, 1, 9.5, 0.0026, 123].map(scoreLimit)).toEqual([0.8, 1.25, 0.05, 1, 10, 0.003, 125]);
  expect([0, Number.NaN, Number.POSITIVE_INFINITY].map(scoreLimit)).toEqual([1, 1, 1]);
  for (let exponent = -6; exponent < 6; exponent += 0.37) {
    const limit = scoreLimit(10 ** exponent);
    expect(limit).toBeGreaterThanOrEqual(10 ** exponent * 0.999);
    expect(limit).toBeLessThanOrEqual(10 ** exponent * 1.34);
  }
});

test("scores on one scale have the same decimals", () => {
  expect([0.692, 0.0538, -0.662, -0.003].map((score) => scoreText(score, 1.25))).toEqual([
    "+0.69",
    "+0.05",
    "−0.66",
    "0.00",
  ]);
  expect([0.0471, -0.0089].map((score) => scoreText(score, 0.05))).toEqual(["+0.047", "−0.009"]);
  expect([12.34, 250, 1, -3e-6].map((score, i) => scoreText(score, [15, 300, 1, 4e-6][i] as number))).toEqual([
    "+12.3",
    "+250",
    "+1.00",
    "−3.0e-6",
  ]);
  expect(scoreText(Number.NaN, 1)).toBe("–");
});

test("half of an interval is written in the unit of the score", () => {
  expect(halfText(0.28, 0.34, 1)).toBe("±0.03");
  expect(halfText(0.34, 0.28, 1)).toBe("±0.03");
  expect(halfText(0.2, 0.2, 1)).toBe("±0.00");
  expect(halfText(0.2, 0.202, 1)).toBe("±0.001");
  expect([halfText(null, 1, 1), halfText(0, null, 1), halfText(Number.NaN, 1, 1)]).toEqual(["±?", "±?", "±?"]);
});
