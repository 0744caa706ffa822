import type { ProductSettings } from "../engine/products";
import type { Comparison } from "../engine/weights";
import type { Heatmap } from "../kernel/protocol";

/** The bins and settings of one moment. */
export interface PageQuestion extends Comparison {
  settings: ProductSettings;
  layer: string;
}

/** What the page shows of a heatmap besides its pixels. */
export interface HeatmapInfo extends Heatmap {
  version: number;
  /** It answers earlier bins. */
  stale: boolean;
  /** It answers bins as a drop would make them. */
  trial: boolean;
}

export interface Shown {
  info: HeatmapInfo;
  /** Row by row, in multiples of `unit`. */
  values: Float32Array;
  unit: number;
  /** The question that the page has computed it for; null for one that the kernel has sent. */
  question: PageQuestion | null;
}

/** A heatmap as it is painted. */
export interface Painted extends Shown {
  /** As `values`, or smoothed where these differ from pixel to pixel. */
  display: Float32Array;
  /** The largest magnitude of `display`, and the one for which its scale ends (see `Magnitudes`), in no unit. */
  largest: number;
  reach: number;
}

/** Values compare within a method and layer only, and a preview is another method's map. */
export const groupOf = (info: Heatmap): string => `${info.preview ? "preview " : ""}${info.method} ${info.layer}`;

/** Whether a heatmap is sharper than another of the same image: a preview is the coarsest. */
export const isSharper = (a: Heatmap, b: Heatmap): boolean =>
  a.preview === b.preview ? a.progress > b.progress : b.preview;
