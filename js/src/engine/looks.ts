import { type Colormap, colorTable, lineColors, type Rgb, sequentialTable, spotlightTable } from "./colormaps";
import { isSigned } from "./layers";

/** How a heatmap is painted on its photograph. The numbers are the same in every look. */

export type Look = "tint" | "contours" | "spotlight";

export const LOOKS: readonly { name: Look; label: string; hint: string }[] = [
  { name: "tint", label: "Tint", hint: "Colours over the photograph in grey" },
  { name: "contours", label: "Contours", hint: "Lines around what is strong, over a pale photograph" },
  { name: "spotlight", label: "Spotlight", hint: "The strongest places in their own colours, and the rest dark" },
];

/** The parts of the scale's end that contours are drawn at: a thin line and a thick one. */
export const LEVELS = [0.35, 0.7] as const;

/** The colours of a colour map, for both kinds of layers. */
export class LayerColours {
  readonly #signed: Uint32Array<ArrayBuffer>;
  readonly #amounts: Uint32Array<ArrayBuffer>;
  readonly #lines: { positive: string; negative: string; single: string };
  readonly spotlight = spotlightTable();

  constructor(map: Colormap) {
    this.#signed = colorTable(map);
    this.#amounts = sequentialTable(map);
    const { positive, negative, single } = lineColors(map);
    this.#lines = { positive: css(positive), negative: css(negative), single: css(single) };
  }

  of(layer: string): Uint32Array<ArrayBuffer> {
    return isSigned(layer) ? this.#signed : this.#amounts;
  }

  /** The colour of a line around values of this sign. */
  line(layer: string, sign: 1 | -1): string {
    return this.#lines[!isSigned(layer) ? "single" : sign > 0 ? "positive" : "negative"];
  }
}

const css = (rgb: Rgb): string => `rgb(${rgb.join(" ")})`;
