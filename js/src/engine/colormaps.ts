/**
 * Signed colour maps: each sign has one hue, and weak values are transparent, so that what is neutral stays neutral. Both
 * arms share lightness, chroma and alpha, so that +x and −x weigh the same to the eye; the hue pairs stay apart in the common
 * kinds of colour blindness. What has no sign is painted in a third hue, which stands for neither corpus nor foil.
 */

export interface Colormap {
  name: string;
  label: string;
  /** Hue angles in OKLCH: towards the corpus, towards the foil. */
  positive: number;
  negative: number;
  /** The hue of values that cannot be negative. */
  single: number;
}

export const COLORMAPS: readonly [Colormap, ...Colormap[]] = [
  { name: "orange-blue", label: "Orange – blue", positive: 48, negative: 255, single: 160 },
  { name: "red-blue", label: "Red – blue", positive: 20, negative: 245, single: 150 },
  { name: "purple-green", label: "Purple – green", positive: 315, negative: 150, single: 75 },
];

export const colormapNamed = (name: string): Colormap => COLORMAPS.find((map) => map.name === name) ?? COLORMAPS[0];

export type Rgb = [number, number, number];

/** OKLCH (hue in degrees) to 8-bit sRGB, clipped to the gamut; matrices from Björn Ottosson's "Oklab". */
export function oklch(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((x) => {
    const v = Math.min(1, Math.max(0, x));
    return Math.round(255 * (v <= 0.0031308 ? 12.92 * v : 1.055 * v ** (1 / 2.4) - 0.055));
  }) as Rgb;
}

/** How dark the rest of a spotlight is, and how wide its blurred edge, as a part of the scale. */
const [DARKNESS, PENUMBRA] = [0.86, 0.04];

export const TABLE_SIZE = 512;
export const ZERO = TABLE_SIZE / 2;

/** Below the first magnitude nothing is painted; from the second on, colours are opaque. They begin to show about 15 %. */
const [FIRST, OPAQUE] = [0.08, 0.8];

/** The opacity of a magnitude in 0..1, without an edge at either end. */
function opacity(magnitude: number): number {
  const part = Math.max(0, Math.min(1, (magnitude - FIRST) / (OPAQUE - FIRST)));
  return part * part * (3 - 2 * part);
}

/** The colour of an arm at a magnitude in 0..1: light near zero, deep at the end. */
function armColor(hue: number, magnitude: number): Rgb {
  return oklch(0.76 - 0.18 * magnitude, 0.16 + 0.05 * magnitude, hue);
}

/** The colours of lines: towards the corpus, towards the foil, and of amounts without a sign. */
export function lineColors(map: Colormap): { positive: Rgb; negative: Rgb; single: Rgb } {
  const [positive, negative, single] = [map.positive, map.negative, map.single].map((hue) => oklch(0.72, 0.19, hue));
  return { positive, negative, single } as { positive: Rgb; negative: Rgb; single: Rgb };
}

/** The index of the colour of a value in −1..1; that of zero is exactly `ZERO`. */
export function tableIndex(value: number): number {
  const scaled = Math.max(-1, Math.min(1, value)) * (ZERO - 1);
  return ZERO + (Math.trunc(scaled + (scaled < 0 ? -0.5 : 0.5)) || 0); // `|| 0`: not a number counts as zero
}

/** 512 pixels as `ImageData` wants them: bytes red, green, blue, alpha. */
export function colorTable(map: Colormap): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(TABLE_SIZE);
  const bytes = new Uint8ClampedArray(table.buffer);
  for (let i = 0; i < TABLE_SIZE; i++) {
    const value = Math.max(-1, (i - ZERO) / (ZERO - 1));
    const [red, green, blue] = armColor(value < 0 ? map.negative : map.positive, Math.abs(value));
    bytes.set([red, green, blue, 255 * opacity(Math.abs(value))], 4 * i);
  }
  return table;
}

/** As `colorTable` for values of 0 or more: they use its upper half, and the lower one stays transparent. */
export function sequentialTable(map: Colormap): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(TABLE_SIZE);
  const bytes = new Uint8ClampedArray(table.buffer);
  for (let i = ZERO + 1; i < TABLE_SIZE; i++) {
    const value = (i - ZERO) / (ZERO - 1);
    const [red, green, blue] = oklch(0.84 - 0.28 * value, 0.1 + 0.06 * value, map.single);
    bytes.set([red, green, blue, 255 * opacity(value)], 4 * i);
  }
  return table;
}

/** Where a value is beyond half of the scale nothing is painted, and what is weaker is darkened: the rest of a spotlight. */
export function spotlightTable(): Uint32Array<ArrayBuffer> {
  const table = new Uint32Array(TABLE_SIZE);
  const bytes = new Uint8ClampedArray(table.buffer);
  for (let i = 0; i < TABLE_SIZE; i++) {
    const value = Math.abs(i - ZERO) / (ZERO - 1);
    const dark = Math.max(0, Math.min(1, (0.5 - value) / PENUMBRA));
    bytes.set([8, 8, 10, 255 * DARKNESS * dark], 4 * i);
  }
  return table;
}

/** The colours by which the page names corpus and foil: the hues of the map, light enough for a dark page. */
export function accents(map: Colormap, dark: boolean): { corpus: Rgb; foil: Rgb } {
  const [lightness, chroma] = dark ? [0.74, 0.15] : [0.58, 0.17];
  return { corpus: oklch(lightness, chroma, map.positive), foil: oklch(lightness, chroma, map.negative) };
}
