import { batch, type Signal, signal } from "@preact/signals";
import { BINS, type Bin, inOrder } from "../bins/bins";
import type { Model, Traits } from "./protocol";

export type TraitSignals = { readonly [K in keyof Traits]: Signal<Traits[K]> };

export const DEFAULTS: Traits = {
  corpus: [],
  foil: [],
  explicands: [],
  method: "rise",
  target: "contrastive_corpus",
  similarity: "cosine",
  baseline: "blur",
  layer: "attribution",
  template: "none",
  centred: false,
  colormap: "orange-blue",
  opacity: 0.8,
  scale: "shared",
  gallery_heatmaps: false,
  height: 720,
  name: "",
};

/** Sliders and the resize handle fire at every pixel; the kernel is sent their value once they rest. */
const SETTLE_MS = 200;

const isBin = (name: keyof Traits): name is Bin => (BINS as readonly string[]).includes(name);

/**
 * The model's traits as signals, in both directions. The bins change together: at the first event of a change all three are
 * read from the model, so that the page never shows an image in corpus and foil at once.
 */
export class TraitMirror {
  readonly signals: TraitSignals;
  readonly #model: Model;
  readonly #sendChanges: () => void;
  #names = Object.keys(DEFAULTS) as (keyof Traits)[];
  #listeners: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, sendChanges: () => void) {
    this.#sendChanges = sendChanges;
    this.#model = model;
    this.signals = Object.fromEntries(this.#names.map((name) => [name, this.#mirror(name)])) as unknown as TraitSignals;
  }

  #mirror<K extends keyof Traits>(name: K): Signal<Traits[K]> {
    const mirrored = signal(this.#read(name));
    const listener = isBin(name)
      ? this.#followBins
      : () => {
          mirrored.value = this.#read(name);
        };
    this.#model.on(`change:${name}`, listener);
    this.#listeners.push(() => this.#model.off(`change:${name}`, listener));
    return mirrored;
  }

  #read<K extends keyof Traits>(name: K): Traits[K] {
    return this.#model.get(name) ?? DEFAULTS[name];
  }

  #followBins = (): void => {
    batch(() => {
      for (const bin of BINS) this.signals[bin].value = this.#read(bin);
    });
  };

  /** Writes several traits as one change. */
  set(values: Partial<Traits>): void {
    this.#write(values);
    this.#save();
  }

  /** Changes the page at once, and the kernel when the values have rested. */
  setSoon(values: Partial<Traits>): void {
    this.#write(values);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SETTLE_MS);
  }

  #write(values: Partial<Traits>): void {
    // Each value that is set fires its event at once, on this page too: in a batch nothing runs until all are set.
    batch(() => {
      const before = { corpus: this.#read("corpus"), foil: this.#read("foil"), explicands: this.#read("explicands") };
      for (const [bin, ids] of inOrder(before, values)) this.#assign(bin, ids);
      for (const name of this.#names) if (!isBin(name)) this.#assign(name, values[name]);
    });
  }

  #assign<K extends keyof Traits>(name: K, value: Traits[K] | undefined): void {
    if (value === undefined) return;
    this.#model.set(name, value);
    this.signals[name].value = value;
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sendChanges();
  }

  dispose(): void {
    if (this.#timer !== undefined) this.#save();
    for (const remove of this.#listeners) remove();
  }
}
