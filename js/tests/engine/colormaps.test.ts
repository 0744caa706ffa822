import { describe, expect, test } from "vitest";
import {
  accents,
  COLORMAPS,
  colorTable,
  sequentialTable,
  TABLE_SIZE,
  tableIndex,
  ZERO,
} from "../../src/engine/colormaps";

const lightness = (bytes: Uint8Array, i: number) =>
  0.3 * (bytes[4 * i] ?? 0) + 0.59 * (bytes[4 * i + 1] ?? 0) + 0.11 * (bytes[4 * i + 2] ?? 0);
const gap = (a: number[], b: number[], channel: number) => Math.abs((a[channel] ?? 0) - (b[channel] ?? 0));

describe.each(COLORMAPS.map((map) => [map.name, map] as const))("colour map %s", (_, map) => {
  const bytes = new Uint8Array(colorTable(map).buffer);
  const at = (value: number) => [...bytes.slice(4 * tableIndex(value), 4 * tableIndex(value) + 4)] as number[];

  test("is transparent at zero and grows with the magnitude", () => {
    expect(at(0)[3]).toBe(0);
    expect(at(Number.NaN)[3]).toBe(0);
    for (let i = ZERO + 1; i < TABLE_SIZE; i++) expect(bytes[4 * i + 3]).toBeGreaterThanOrEqual(bytes[4 * i - 1] ?? 0);
  });

  test("gives both signs the same weight", () => {
    for (const value of [0.1, 0.5, 1]) {
      expect(tableIndex(value) - ZERO).toBe(ZERO - tableIndex(-value));
      expect(at(value)[3]).toBe(at(-value)[3]);
    }
  });

  test("amounts have a hue of their own, deeper with the value, and no lower half", () => {
    const amounts = new Uint8Array(sequentialTable(map).buffer);
    const colour = (value: number) => [...amounts.slice(4 * tableIndex(value), 4 * tableIndex(value) + 4)] as number[];
    for (let i = 0; i <= ZERO; i++) expect(amounts[4 * i + 3]).toBe(0);
    for (let i = ZERO + 2; i < TABLE_SIZE; i++) {
      expect(amounts[4 * i + 3]).toBeGreaterThanOrEqual(amounts[4 * i - 1] ?? 0);
      expect(lightness(amounts, i)).toBeLessThan(lightness(amounts, i - 1) + 2);
    }
    expect(lightness(amounts, TABLE_SIZE - 1)).toBeLessThan(lightness(amounts, ZERO + 10) - 50);
    for (const end of [at(1), at(-1)])
      expect(Math.max(...[0, 1, 2].map((c) => gap(colour(1), end, c)))).toBeGreaterThan(60);
  });

  test("names corpus and foil by the hues of its ends", () => {
    const { corpus, foil } = accents(map, false);
    const distance = (a: readonly number[], b: readonly number[]) =>
      Math.hypot(...[0, 1, 2].map((i) => (a[i] ?? 0) - (b[i] ?? 0)));
    expect(distance(corpus, at(1))).toBeLessThan(distance(corpus, at(-1)) / 3);
    expect(distance(foil, at(-1))).toBeLessThan(distance(foil, at(1)) / 3);
  });
});
