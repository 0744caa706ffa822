import { isText } from "./texts";

/** The members of the bins, and how a move changes them. Pure functions: the store and the kernel hold the state. */

export type Bin = "corpus" | "foil" | "explicands";
export type Region = Bin | "gallery";
export type Bins = Readonly<Record<Bin, readonly string[]>>;

export const BINS: readonly Bin[] = ["corpus", "foil", "explicands"];

const added = (list: readonly string[], ids: readonly string[]): readonly string[] => {
  const all = new Set([...list, ...ids]);
  return all.size > list.length ? [...all] : list;
};

const without = (list: readonly string[], ids: readonly string[]): readonly string[] => {
  const gone = new Set(ids);
  return list.some((id) => gone.has(id)) ? list.filter((id) => !gone.has(id)) : list;
};

/**
 * Corpus and foil exclude each other, so joining one leaves the other; being an explicand is independent of both.
 * The gallery always shows everything, so moving there means leaving the bin that the images came from; all bins, if they
 * came from the gallery.
 */
export function move(bins: Bins, ids: readonly string[], from: Region, to: Region): Bins {
  switch (to) {
    case "corpus":
      return { ...bins, corpus: added(bins.corpus, ids), foil: without(bins.foil, ids) };
    case "foil":
      return { ...bins, foil: added(bins.foil, ids), corpus: without(bins.corpus, ids) };
    case "explicands":
      // Only images can be explained.
      return {
        ...bins,
        explicands: added(
          bins.explicands,
          ids.filter((id) => !isText(id)),
        ),
      };
    case "gallery":
      if (from !== "gallery") return { ...bins, [from]: without(bins[from], ids) };
      return {
        corpus: without(bins.corpus, ids),
        foil: without(bins.foil, ids),
        explicands: without(bins.explicands, ids),
      };
  }
}

export const clear = (bins: Bins, bin: Bin): Bins => ({ ...bins, [bin]: [] });

export const swap = (bins: Bins): Bins => ({ ...bins, corpus: bins.foil, foil: bins.corpus });

export const equal = (a: readonly unknown[], b: readonly unknown[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

export const sameBins = (a: Bins, b: Bins): boolean => BINS.every((bin) => equal(a[bin], b[bin]));

/** The effect of a drop on a region, in few words; null when it has none. */
export function dropHint(from: Region, to: Region | null, ids: readonly string[] = []): string | null {
  if (to === "explicands" && ids.length && ids.every(isText)) return null;
  if (to === null || to === from) return null;
  if (to === "gallery") return `Remove from ${from}`;
  return to === "explicands" ? "Explain" : `Add to ${to}`;
}

/**
 * Whether images are compared with texts alone: what all texts share and no image has is then a part of every score.
 */
export function measuresGap({ corpus, foil }: Bins, target: string, centred: boolean): boolean {
  const contrasted = target === "contrastive_corpus" && foil.length > 0;
  const used = target === "contrastive_corpus" || target === "corpus";
  return used && !centred && !contrasted && corpus.length > 0 && corpus.every(isText);
}
