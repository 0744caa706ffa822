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

/** The direction as a sum over representations: `each` is the weight of the member at the same index, `own` the image's. */
export interface Weights {
  own: number;
  members: readonly Member[];
  each: Float64Array;
}

/** The reason why there is nothing to explain. */
export interface Nothing {
  nothing: string;
}

/** The weights of a comparison that does without members which have `failed`, or the reason why there are none. */
export function weigh({ target, corpus, foil }: Comparison, failed: ReadonlySet<string>): Weights | Nothing {
  const terms = TARGETS[target];
  if (!terms) return { nothing: `This page does not know the target ${target}.` };
  if (!terms.own && !(terms.corpus && corpus.length) && !(terms.foil && foil.length)) {
    const what = terms.foil ? "the corpus, the foil, or both" : "the corpus";
    return { nothing: `Nothing to explain yet: put images into ${what}.` };
  }
  const alive = (ids: readonly string[]) => (failed.size ? ids.filter((id) => !failed.has(id)) : ids);
  const [positive, negative] = [terms.corpus ? alive(corpus) : [], terms.foil ? alive(foil) : []];
  if (!terms.own && !positive.length && !negative.length)
    return { nothing: "None of the images in a bin could be encoded: remove them, or add others." };
  const each = new Float64Array(positive.length + negative.length);
  each.fill(1 / positive.length, 0, positive.length);
  each.fill(-1 / negative.length, positive.length);
  const members = [
    ...positive.map((image): Member => ({ image, bin: "corpus" })),
    ...negative.map((image): Member => ({ image, bin: "foil" })),
  ];
  return { own: terms.own ? 1 : 0, members, each };
}
