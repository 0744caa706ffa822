import { expect, test } from "vitest";
import { fraction, halfWidth, percent, plain, signed } from "../../src/ui/format";

test("values are written signed, with three digits", () => {
  expect([0.31234, -0.031, 0, 12.345].map(signed)).toEqual(["+0.312", "−0.0310", "0", "+12.3"]);
  expect(signed(-0.00012)).toBe("−1.2e-4");
});

test("numbers are compact", () => {
  expect(plain(0.5)).toBe("0.500");
  expect(plain(-0.5)).toBe("−0.500");
  expect([0.931, -0.25, 1, 0, 0.004].map(fraction)).toEqual([".93", "−.25", "1.00", ".00", ".004"]);
  expect([0, 0.004, 0.0994, 0.0996, 0.5, 1.2].map(percent)).toEqual(["0 %", "0.4 %", "9.9 %", "10 %", "50 %", "120 %"]);
});

test("half of an interval has the digits that resampling can tell", () => {
  const halves = [0.031, 0.0042, 0.094, 0.096, 0.25, 1.23, 0.00003, 0];
  const written = halves.map((half) => halfWidth(0.5 - half, 0.5 + half));
  expect(written).toEqual([".03", ".004", ".09", ".10", ".25", "1.2", "3e-5", "0"]);
  expect(halfWidth(Number.NaN, 1)).toBe("?");
});
