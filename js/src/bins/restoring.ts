import { effect, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Catalogue } from "../kernel/protocol";
import { count } from "../ui/format";
import { BINS, type Bins, sameBins } from "./bins";
import { forgetBins, loadBins, type SavedBins, saveBins } from "./saved-bins";
import { isText } from "./texts";

/** Bins of an earlier run of the cell, without what cannot be restored. */
export interface Offer {
  bins: Bins;
  /** How many members were left out: images that the gallery does not have, texts that the encoder does not take. */
  images: number;
  texts: number;
}

/** The bins that can be restored; null when there are none, or when they are the present ones. */
export function offerOf(saved: SavedBins, catalogue: Catalogue, now: Bins): Offer | null {
  const known = new Set(catalogue.images);
  const takesTexts = catalogue.text?.available ?? false;
  const fits = (id: string) => (isText(id) ? takesTexts : known.has(id));
  const [corpus, foil, explicands] = BINS.map((bin) => saved[bin].filter(fits)) as [string[], string[], string[]];
  const bins = { corpus, foil, explicands };
  if (BINS.every((bin) => !bins[bin].length) || sameBins(now, bins)) return null;
  const lost = [...new Set(BINS.flatMap((bin) => saved[bin]))].filter((id) => !fits(id));
  const texts = lost.filter(isText).length;
  return { bins, texts, images: lost.length - texts };
}

/** "5 in corpus, 3 in foil, 2 explained". */
export function contents({ corpus, foil, explicands }: Bins): string {
  const words = [
    corpus.length && `${count(corpus.length)} in corpus`,
    foil.length && `${count(foil.length)} in foil`,
    explicands.length && `${count(explicands.length)} explained`,
  ];
  return words.filter(Boolean).join(", ");
}

/** What an offer leaves out, in words; empty when it leaves out nothing. */
export function leftOut({ images, texts }: Offer): string {
  const words = [
    images && `${count(images)} ${images === 1 ? "image that is" : "images that are"} not in this gallery`,
    texts && `${count(texts)} ${texts === 1 ? "text" : "texts"}, which this encoder does not take`,
  ].filter(Boolean);
  return words.length ? `Without ${words.join(" and ")}.` : "";
}

interface Scene {
  name: ReadonlySignal<string>;
  catalogue: ReadonlySignal<Catalogue | null>;
  bins: ReadonlySignal<Bins>;
}

/**
 * Saves the bins as they change, and offers those that an earlier model under the same name had. The bins that a cell sets
 * up are not saved before they change.
 */
export class Restoring {
  readonly offer: Signal<Offer | null> = signal(null);
  readonly #scene: Scene;
  #seen: Bins | null = null;
  #stop: () => void;

  constructor(scene: Scene) {
    this.#scene = scene;
    this.#stop = effect(() => {
      const [catalogue, bins] = [scene.catalogue.value, scene.bins.value];
      if (!catalogue?.model || !scene.name.value) return;
      const before = this.#seen;
      this.#seen = bins;
      if (!before) this.#begin(catalogue, bins);
      else if (!sameBins(before, bins)) this.#save(catalogue, bins);
    });
  }

  #begin(catalogue: Catalogue, bins: Bins): void {
    const saved = loadBins(this.#scene.name.peek());
    if (saved && saved.model !== catalogue.model) this.offer.value = offerOf(saved, catalogue, bins);
  }

  #save({ model }: Catalogue, bins: Bins): void {
    saveBins(this.#scene.name.peek(), { model, ...bins });
    const offer = this.offer.peek();
    if (offer && sameBins(bins, offer.bins)) this.offer.value = null;
  }

  /** Withdraws the offer; the bins stay as they are. */
  dismiss(): void {
    this.offer.value = null;
    const catalogue = this.#scene.catalogue.peek();
    const saved = loadBins(this.#scene.name.peek());
    if (saved && saved.model !== catalogue?.model) forgetBins(this.#scene.name.peek());
  }

  dispose(): void {
    this.#stop();
  }
}
