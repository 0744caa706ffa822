import { describe, expect, test } from "vitest";
import { accents, COLORMAPS, colorTable, TABLE_SIZE, tableIndex, ZERO } from "../src/colormaps";

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

  test("names corpus and foil by the hues of its ends", () => {
    const { corpus, foil } = accents(map, false);
    const distance = (a: readonly number[], b: readonly number[]) =>
      Math.hypot(...[0, 1, 2].map((i) => (a[i] ?? 0) - (b[i] ?? 0)));
    expect(distance(corpus, at(1))).toBeLessThan(distance(corpus, at(-1)) / 3);
    expect(distance(foil, at(-1))).toBeLessThan(distance(foil, at(1)) / 3);
  });
});
