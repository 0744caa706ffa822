import { expect, test } from "vitest";
import { FilterMemory, GuidedFilter } from "../../src/engine/guided-filter";

const [HEIGHT, WIDTH] = [9, 13];
const SIZE = [HEIGHT, WIDTH] as const;
const byte = (seed: number) => (i: number) => Math.round(127.5 + 127.5 * Math.sin(seed + 12.9898 * i * i));
const PIXELS = Uint8Array.from({ length: 3 * HEIGHT * WIDTH }, (_, i) => byte(1)(i));
const MAP = Float32Array.from({ length: HEIGHT * WIDTH }, (_, i) => Math.sin(5 + 3.7 * i * i));

const filtered = (pixels: Uint8Array, radius: number, epsilon: number, map = MAP, memory = new FilterMemory()) => {
  const found = Float32Array.from(map);
  new GuidedFilter(SIZE, radius, epsilon, pixels, memory).apply(found);
  return found;
};

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const covariance = (a: number[], b: number[]) => mean(a.map((x, i) => x * (b[i] as number))) - mean(a) * mean(b);

function windowOf(at: number, radius: number): number[] {
  const [y, x] = [Math.floor(at / WIDTH), at % WIDTH];
  return [...MAP.keys()].filter(
    (i) => Math.abs(Math.floor(i / WIDTH) - y) <= radius && Math.abs((i % WIDTH) - x) <= radius,
  );
}

/** He, Sun & Tang: a ridge regression on the guide's colours in each window, and the mean of what the windows say. */
function byDefinition(pixels: Uint8Array, radius: number, epsilon: number): number[] {
  const colour = (i: number, c: number) => (pixels[3 * i + c] as number) / 255;
  const models = [...MAP.keys()].map((at) => {
    const inside = windowOf(at, radius);
    const values = inside.map((i) => MAP[i] as number);
    const colours = [0, 1, 2].map((c) => inside.map((i) => colour(i, c)));
    const rows = colours.map((a, r) => [
      ...colours.map((b, c) => covariance(a, b) + (r === c ? epsilon : 0)),
      covariance(a, values),
    ]);
    const slopes = solve(rows);
    return { slopes, offset: mean(values) - slopes.reduce((sum, s, c) => sum + s * mean(colours[c] as number[]), 0) };
  });
  return [...MAP.keys()].map((at) =>
    mean(
      windowOf(at, radius).map((i) => {
        const { slopes, offset } = models[i] as (typeof models)[0];
        return slopes.reduce((sum, slope, c) => sum + slope * colour(at, c), offset);
      }),
    ),
  );
}

/** Solves three equations by elimination; each row ends with its right side. */
function solve(rows: number[][]): number[] {
  const left = rows.map((row) => [...row]);
  for (let i = 0; i < 3; i++) {
    const pivot = left[i] as number[];
    for (let other = 0; other < 3; other++) {
      if (other === i) continue;
      const factor = (left[other]?.[i] as number) / (pivot[i] as number);
      left[other] = (left[other] as number[]).map((x, j) => x - factor * (pivot[j] as number));
    }
  }
  return left.map((row, i) => (row[3] as number) / (row[i] as number));
}

const far = (found: Float32Array, expected: ArrayLike<number>) =>
  Math.max(...[...found].map((x, i) => Math.abs(x - (expected[i] as number))));

test.each([
  [1, 3e-4],
  [3, 3e-4],
  [20, 3e-4],
  [2, 0.1],
])("it is the mean of regressions in windows of radius %i, with the epsilon %f", (radius, epsilon) => {
  expect(far(filtered(PIXELS, radius, epsilon), byDefinition(PIXELS, radius, epsilon))).toBeLessThan(2e-5);
});

test("a constant guide gives means of means, and a grey one has edges, too", () => {
  const constant = new Uint8Array(PIXELS.length).fill(99);
  const once = [...MAP.keys()].map((at) => mean(windowOf(at, 2).map((i) => MAP[i] as number)));
  const twice = [...MAP.keys()].map((at) => mean(windowOf(at, 2).map((i) => once[i] as number)));
  expect(far(filtered(constant, 2, 3e-4), twice)).toBeLessThan(1e-5);
  const grey = Uint8Array.from(PIXELS, (_, i) => PIXELS[3 * Math.floor(i / 3)] as number);
  expect(far(filtered(grey, 2, 3e-4), byDefinition(grey, 2, 3e-4))).toBeLessThan(1e-4);
});

test("a constant map stays as it is", () => {
  const map = new Float32Array(MAP.length).fill(2.5);
  expect(far(filtered(PIXELS, 2, 3e-4, map), map)).toBeLessThan(1e-5);
});

test("filters of different sizes share their memory", () => {
  const memory = new FilterMemory();
  const one = new GuidedFilter(SIZE, 2, 3e-4, PIXELS, memory);
  const other = new GuidedFilter([4, 4], 1, 3e-4, PIXELS.slice(0, 48), memory);
  const [first, second] = [Float32Array.from(MAP), Float32Array.from(MAP)];
  one.apply(first);
  other.apply(new Float32Array(16).fill(1));
  one.apply(second);
  expect([...second]).toEqual([...first]);
  expect([...first]).toEqual([...filtered(PIXELS, 2, 3e-4)]);
});
