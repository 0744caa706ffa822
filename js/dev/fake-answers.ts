import type { Curves, Influence, Member, SearchResult, StabilityReport, Traits } from "../src/kernel/protocol";

/** Made-up answers about explicands, for looking at the page. */

/** A number in 0..1 that looks random and is the same every time. */
const noise = (seed: number) => Math.abs(Math.sin(seed * 91.17 + 3.1) * 43758.5453) % 1;

export function fakeInfluence(id: string, image: string, { corpus, foil, method }: Traits): Influence {
  const of = (bin: "corpus" | "foil", ids: readonly string[]): Member[] =>
    ids.map((member, i) => {
      const sign = bin === "corpus" ? 1 : -1;
      const strength = noise(i + ids.length) ** 2 - (i % 6 === 5 ? 0.1 : 0);
      return {
        image: member,
        bin,
        share: (sign * strength) / ids.length,
        change: method === "cam" || method === "rise" ? (0.4 * noise(i + 7)) / ids.length : null,
        outlier: i % 5 === 2,
      };
    });
  const members = [...of("corpus", corpus), ...of("foil", foil)].sort((a, b) => Math.abs(b.share) - Math.abs(a.share));
  return {
    id,
    kind: "influence",
    image,
    score: members.reduce((sum, { share }) => sum + share, 0),
    members,
  };
}

export function fakeStability(
  version: number,
  { explicands, corpus, foil }: Traits,
  scores: number[],
): StabilityReport {
  const smallest = Math.min(...[corpus.length, foil.length].filter(Boolean));
  const items = explicands.map((image, i) => {
    const [score, half] = [scores[i] ?? 0, 0.012 + 0.09 * noise(i)];
    return smallest < 2
      ? { image, low: null, high: null, correlation: null }
      : { image, low: score - half * 1.3, high: score + half * 0.7, correlation: 0.97 - 0.25 * noise(i + 2) };
  });
  return { kind: "stability", version, items, smallest, few: smallest < 20 };
}

export function fakeCurves(id: string, image: string, done: number, total: number): Curves {
  const fractions = Array.from({ length: 29 }, (_, i) => i / 28);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const curve = (measure: string, label: string, low: number, high: number) => {
    const wiggle = (x: number) => 0.03 * (high - low) * Math.sin(17 * x);
    const insertion = fractions.map((x) => low + (high - low) * (1 - Math.exp(-6 * x)) + wiggle(x));
    const deletion = fractions.map((x) => low + (high - low) * Math.exp(-9 * x) + wiggle(x + 0.4));
    return { measure, label, insertion, deletion, insertion_auc: mean(insertion), deletion_auc: mean(deletion) };
  };
  const curves =
    done < total
      ? []
      : [curve("similarity", "Contrastive similarity", -0.08, 0.34), curve("majority", "Corpus majority", 0.05, 0.98)];
  return { id, kind: "curves", image, done, total, fractions: curves.length ? fractions : [], curves };
}

/** As if two thirds of the gallery were encoded. */
export function fakeSearch(id: string, gallery: readonly string[]): SearchResult {
  const images = gallery.filter((_, i) => i % 3 !== 1).reverse();
  const scores = images.map((_, i) => 0.31 - (0.3 * i) / images.length);
  return { id, kind: "search", images, scores, compared: images.length, total: gallery.length };
}
