import { expect, test } from "vitest";
import { fraction, percent, plain, signed } from "../../src/ui/format";

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
