/** From bins and target to the weight of each representation in the direction; as in `cocoa_widget/contrast/direction.py`. */

/** Which terms a target has: the image's own representation, the mean of the corpus, the mean of the foil. */
interface Target {
  own: boolean;
  corpus: boolean;
  foil: boolean;
}

const TARGETS: Readonly<Record<string, Target>> = {
  contrastive_corpus: { own: false, corpus: true, foil: true },
  corpus: { own: false, corpus: true, foil: false },
  label_free: { own: true, corpus: false, foil: false },
  contrastive_label_free: { own: true, corpus: false, foil: true },
};

/** What a score compares an image with. */
export interface Comparison {
  target: string;
  corpus: readonly string[];
  foil: readonly string[];
}

export interface Member {
  image: string;
  bin: "corpus" | "foil";
}

/** The members that a comparison uses. */
export function usedMembers({ target, corpus, foil }: Comparison): string[] {
  const terms = TARGETS[target];
  return [...(terms?.corpus ? corpus : []), ...(terms?.foil ? foil : [])];
}

/** The direction as a sum over representations: `each` is the weight of the member at the same index, `own` the image's. */
export interface Weights {
  own: number;
  members: readonly Member[];
  each: Float64Array;
}

/** Members that heatmaps and scores do without: they could not be encoded, or are not encoded yet. */
export interface Absent {
  failed: ReadonlySet<string>;
  waiting: ReadonlySet<string>;
}

export const ALL_PRESENT: Absent = { failed: new Set(), waiting: new Set() };

/** The reason why there is nothing to explain. */
export interface Nothing {
  nothing: string;
}

/**
 * The weights of a comparison without the members that are absent, or the reason why there are none; null while every
 * member that could have a weight is waiting.
 */
export function weigh(
  { target, corpus, foil }: Comparison,
  { failed, waiting } = ALL_PRESENT,
): Weights | Nothing | null {
  const terms = TARGETS[target];
  if (!terms) return { nothing: `This page does not know the target ${target}.` };
  if (!terms.own && !(terms.corpus && corpus.length) && !(terms.foil && foil.length)) {
    const what = terms.foil ? "the corpus, the foil, or both" : "the corpus";
    return { nothing: `Nothing to explain yet: put images into ${what}.` };
  }
  const without = (ids: readonly string[], absent: ReadonlySet<string>) =>
    absent.size ? ids.filter((id) => !absent.has(id)) : ids;
  const alive = [terms.corpus ? without(corpus, failed) : [], terms.foil ? without(foil, failed) : []];
  if (!terms.own && !alive.some(({ length }) => length))
    return { nothing: "None of the images in a bin could be encoded: remove them, or add others." };
  const [positive = [], negative = []] = alive.map((ids) => without(ids, waiting));
  if (!terms.own && !positive.length && !negative.length) return null;
  const each = new Float64Array(positive.length + negative.length);
  each.fill(1 / positive.length, 0, positive.length);
  each.fill(-1 / negative.length, positive.length);
  const members = [
    ...positive.map((image): Member => ({ image, bin: "corpus" })),
    ...negative.map((image): Member => ({ image, bin: "foil" })),
  ];
  return { own: terms.own ? 1 : 0, members, each };
}
