import { expect, test } from "vitest";
import { amount, fraction, measured, percent, plain, signed, signedAmount } from "../../src/ui/format";

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

test("magnitudes have two digits, and words in place of powers of ten", () => {
  const written = [0.4, 0.0312, 0.01, 0.0099, 0.00032, 3.2e-5, 1e-6, 9.99e-7, 2.5e-9, 3e-12, 12.34, 1234, 0];
  expect(written.map((value) => amount(value))).toEqual([
    "0.40",
    "0.031",
    "0.010",
    "9.9 thousandths",
    "320 millionths",
    "32 millionths",
    "1.0 millionths",
    "1.0 millionths",
    "2.5 billionths",
    "3.0 trillionths",
    "12",
    "1200",
    "0",
  ]);
  expect([Number.NaN, Number.POSITIVE_INFINITY].map((value) => measured(value))).toEqual([
    ["–", ""],
    ["–", ""],
  ]);
});

test("beside a scale, values have its unit", () => {
  const beside = [3.1e-5, -2e-7, 1e-12, 0].map((value) => signedAmount(value, 4e-5));
  expect(beside).toEqual(["+31 millionths", "−0.20 millionths", "0 millionths", "0 millionths"]);
  expect([0.25, -0.004, Number.NaN].map((value) => signedAmount(value, 0.5))).toEqual(["+0.25", "−0.0040", "–"]);
});
