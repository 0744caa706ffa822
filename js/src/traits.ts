import { batch, type Signal, signal } from "@preact/signals";
import type { Model } from "./connection";
import type { Traits } from "./protocol";

export type TraitSignals = { readonly [K in keyof Traits]: Signal<Traits[K]> };

const DEFAULTS: Traits = {
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

/** Sliders and the resize handle fire at every pixel; the kernel hears of it once they rest. */
const SETTLE_MS = 200;

/** The model's traits as signals, in both directions. */
export class TraitMirror {
  readonly signals: TraitSignals;
  #model: Model;
  #names = Object.keys(DEFAULTS) as (keyof Traits)[];
  #listeners: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model) {
    this.#model = model;
    this.signals = Object.fromEntries(this.#names.map((name) => [name, this.#mirror(name)])) as unknown as TraitSignals;
  }

  #mirror<K extends keyof Traits>(name: K): Signal<Traits[K]> {
    const read = () => this.#model.get(name) ?? DEFAULTS[name];
    const mirrored = signal(read());
    const listener = () => {
      mirrored.value = read();
    };
    this.#model.on(`change:${name}`, listener);
    this.#listeners.push(() => this.#model.off(`change:${name}`, listener));
    return mirrored;
  }

  /** Writes several traits as one change. */
  set(values: Partial<Traits>): void {
    this.#write(values);
    this.#save();
  }

  /** The page follows at once, the kernel when the value rests. */
  setSoon(values: Partial<Traits>): void {
    this.#write(values);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SETTLE_MS);
  }

  #write(values: Partial<Traits>): void {
    batch(() => {
      for (const name of Object.keys(values) as (keyof Traits)[]) this.#assign(name, values[name]);
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
    this.#model.save_changes();
  }

  dispose(): void {
    if (this.#timer !== undefined) this.#save();
    for (const remove of this.#listeners) remove();
  }
}
