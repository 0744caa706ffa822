import { equal } from "../bins/bins";
import type { ProductSettings } from "../engine/products";
import type { Absent, Comparison } from "../engine/weights";
import type { Heatmap } from "../kernel/protocol";

/** The bins and settings of one moment. */
export interface PageQuestion extends Comparison {
  settings: ProductSettings;
  layer: string;
}

/** Whether two questions have the same answer. */
export function sameQuestion(a: PageQuestion, b: PageQuestion): boolean {
  const settings = Object.keys(a.settings) as (keyof PageQuestion["settings"])[];
  return (
    a.target === b.target &&
    a.layer === b.layer &&
    settings.every((name) => a.settings[name] === b.settings[name]) &&
    equal(a.corpus, b.corpus) &&
    equal(a.foil, b.foil)
  );
}

/** A question about the members that are not absent. */
export function withoutAbsent(question: PageQuestion, { failed, waiting }: Absent): PageQuestion {
  const present = (ids: readonly string[]) => ids.filter((id) => !failed.has(id) && !waiting.has(id));
  return { ...question, corpus: present(question.corpus), foil: present(question.foil) };
}

/** What the page shows of a heatmap besides its pixels. */
export interface HeatmapInfo extends Heatmap {
  version: number;
  /** It answers earlier bins. */
  stale: boolean;
  /** It is shown for a moment, in place of the image's own: it answers bins as a drop would make them, or a place. */
  trial: "drop" | "place" | null;
}

export interface Shown {
  info: HeatmapInfo;
  /** Row by row, in multiples of `unit`. */
  values: Float32Array;
  unit: number;
  /** The question that it answers: the page's own, or without the absent members for a heatmap of the kernel. */
  question: PageQuestion | null;
  /** Whether the page has computed it. */
  computed: boolean;
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
