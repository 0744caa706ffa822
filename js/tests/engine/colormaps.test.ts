import { describe, expect, test } from "vitest";
import {
  accents,
  COLORMAPS,
  colorTable,
  lineColors,
  sequentialTable,
  TABLE_SIZE,
  tableIndex,
  ZERO,
} from "../../src/engine/colormaps";

const lightness = (bytes: Uint8Array, i: number) =>
  0.3 * (bytes[4 * i] ?? 0) + 0.59 * (bytes[4 * i + 1] ?? 0) + 0.11 * (bytes[4 * i + 2] ?? 0);
type Rgb = readonly [number, number, number];

/** Colour blindness in linear sRGB: Machado, Oliveira and Fernandes, IEEE TVCG 2009, at full severity. */
const BLINDNESS: Record<string, readonly [Rgb, Rgb, Rgb]> = {
  none: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** A colour of 0..1 as people with a kind of colour blindness see it, in Oklab (Ottosson, 2020). */
function seen(colour: Rgb, kind: string): Rgb {
  const linear = colour.map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
  const times = (rows: readonly Rgb[], vector: readonly number[]) =>
    rows.map((row) => row.reduce((sum, factor, i) => sum + factor * (vector[i] as number), 0));
  const clipped = times(BLINDNESS[kind] as readonly Rgb[], linear).map((v) => Math.max(0, Math.min(1, v)));
  const cones = times(
    [
      [0.4122214708, 0.5363325363, 0.0514459929],
      [0.2119034982, 0.6806995451, 0.1073969566],
      [0.0883024619, 0.2817188376, 0.6299787005],
    ],
    clipped,
  ).map(Math.cbrt);
  return times(
    [
      [0.2104542553, 0.793617785, -0.0040720468],
      [1.9779984951, -2.428592205, 0.4505937099],
      [0.0259040371, 0.7827717662, -0.808675766],
    ],
    cones,
  ) as unknown as Rgb;
}

const apart = (a: Rgb, b: Rgb, kind: string) => {
  const [x, y] = [seen(a, kind), seen(b, kind)];
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
};

/** A colour on a grey photograph, blended as the page blends a tint: `hard-light`. */
const blended = (colour: readonly number[], grey: number): Rgb =>
  colour.slice(0, 3).map((byte) => {
    const v = byte / 255;
    return v <= 0.5 ? 2 * v * grey : 1 - 2 * (1 - v) * (1 - grey);
  }) as unknown as Rgb;

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

  test("what is below about 15 % of the end keeps the photograph's grey", () => {
    for (const value of [0.05, -0.05, 0.08, -0.08]) expect(at(value)[3]).toBe(0);
    expect(at(0.15)[3]).toBeLessThan(0.04 * 255);
    expect(at(-0.5)[3]).toBeGreaterThan(0.5 * 255);
    expect(at(0.8)[3]).toBe(255);
  });

  test.each(Object.keys(BLINDNESS))("corpus, foil and neutral stay apart on any photograph: %s", (kind) => {
    for (const grey of [0.2, 0.35, 0.5, 0.65, 0.8]) {
      const [corpus, foil] = [blended(at(1), grey), blended(at(-1), grey)];
      expect(apart(corpus, foil, kind)).toBeGreaterThan(0.12);
      // Red is close to a dark grey for eyes without red cones; a just noticeable difference is about 0.02.
      for (const end of [corpus, foil]) expect(apart(end, [grey, grey, grey], kind)).toBeGreaterThan(0.05);
    }
    const { positive, negative } = lineColors(map);
    const line = (colour: readonly number[]) => colour.map((byte) => byte / 255) as unknown as Rgb;
    expect(apart(line(positive), line(negative), kind)).toBeGreaterThan(0.16);
  });

  test("names corpus and foil by the hues of its ends", () => {
    const { corpus, foil } = accents(map, false);
    const distance = (a: readonly number[], b: readonly number[]) =>
      Math.hypot(...[0, 1, 2].map((i) => (a[i] ?? 0) - (b[i] ?? 0)));
    expect(distance(corpus, at(1))).toBeLessThan(distance(corpus, at(-1)) / 3);
    expect(distance(foil, at(-1))).toBeLessThan(distance(foil, at(1)) / 3);
  });
});
