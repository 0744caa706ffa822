import { expect, test } from "vitest";
import { smoothen } from "../../src/engine/smoothing";

const sum = (values: Float32Array) => values.reduce((total, value) => total + value, 0);

function smoothed(values: Float32Array, width: number, height: number): Float32Array {
  const smooth = new Float32Array(values.length);
  smoothen(values, width, height, smooth);
  return smooth;
}

test("a single pixel becomes a pyramid as wide as 1/28 of the side asks for, and its sum stays", () => {
  const [width, height] = [112, 84];
  const values = new Float32Array(width * height);
  values[42 * width + 56] = 1;
  const smooth = smoothed(values, width, height);
  expect(sum(smooth)).toBeCloseTo(1, 5);
  let variance = 0;
  for (let i = 0; i < smooth.length; i++) variance += (smooth[i] as number) * ((i % width) - 56) ** 2;
  expect(Math.sqrt(variance) / (width / 28)).toBeCloseTo(Math.sqrt((9 ** 2 - 1) / 6) / 4, 5);
  // Boxes of 9 pixels are the nearest to a deviation of 4; they leave a ninth in the middle of either direction.
  expect(smooth[42 * width + 56]).toBeCloseTo(1 / 9 ** 2, 6);
});

test("the border is mirrored: sums and constants stay", () => {
  const corner = new Float32Array(56 * 56);
  corner[0] = 1;
  expect(sum(smoothed(corner, 56, 56))).toBeCloseTo(1, 5);
  for (const value of smoothed(new Float32Array(90).fill(0.3), 30, 3)) expect(value).toBeCloseTo(0.3, 6);
});

test("coarse heatmaps stay as they are, and what is no number counts as zero", () => {
  const coarse = Float32Array.from([1, -2, 3, -4]);
  expect([...smoothed(coarse, 2, 2)]).toEqual([...coarse]);
  const broken = new Float32Array(112 * 112).fill(Number.NaN);
  broken[0] = 1;
  expect(sum(smoothed(broken, 112, 112))).toBeCloseTo(1, 5);
});
