import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { BINS, type Bin, equal } from "../bins/bins";
import type { BinsState } from "../bins/history";
import type { SettingSignals, Settings } from "./kernel";
import type { KernelTraits, Model, Operation, Steps, Traits } from "./protocol";
import { type Numbered, ShownBins } from "./shown-bins";

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
  opacity: 0.9,
  scale: "shared",
  look: "tint",
  spotlight: 0.15,
  gallery_heatmaps: false,
  height: 720,
  name: "",
  restore: false,
};

/** The history of a model that has none. */
export const NO_STEPS: Steps = { undo: [], redo: [] };

/** Sliders and the resize handle fire at every pixel; the kernel is sent their value once they rest. */
const SETTLE_MS = 200;

const isBin = (name: keyof Traits): name is Bin => (BINS as readonly string[]).includes(name);

interface Outlet {
  /** Sends the changed settings to the kernel. */
  save(): void;
  /** Called when the kernel has sent the bins. */
  heard(): void;
}

/**
 * The model's traits as signals: settings in both directions, and the bins with the view's operations that the kernel has
 * not acknowledged. Bins and history change together: at the first event of a change all of them are read from the model,
 * so that the page never shows an image in corpus and foil at once.
 */
export class TraitMirror {
  readonly signals: SettingSignals;
  readonly #settings: { readonly [K in keyof Settings]: Signal<Settings[K]> };
  readonly #shown: ShownBins;
  readonly #view: string;
  readonly #model: Model;
  readonly #outlet: Outlet;
  /** The values that the bins were last made of. */
  #followed: readonly unknown[] = [];
  #listeners: (() => void)[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(model: Model, view: string, outlet: Outlet) {
    this.#model = model;
    this.#view = view;
    this.#outlet = outlet;
    this.#shown = new ShownBins(view, this.#confirmed());
    const names = (Object.keys(DEFAULTS) as (keyof Traits)[]).filter((name) => !isBin(name)) as (keyof Settings)[];
    this.#settings = Object.fromEntries(names.map((name) => [name, this.#mirror(name)])) as never;
    this.signals = { ...this.#settings, ...this.#shown.bins };
    for (const bin of BINS) this.#on(bin, this.#followBins);
    for (const name of ["_applied", "_steps"] as const) {
      this.#on(name, () => {
        this.#followBins();
        outlet.heard();
      });
    }
  }

  #mirror<K extends keyof Settings>(name: K): Signal<Settings[K]> {
    const mirrored = signal(this.#read(name));
    this.#on(name, () => {
      mirrored.value = this.#read(name);
    });
    return mirrored;
  }

  #on(name: keyof (Traits & KernelTraits), listener: () => void): void {
    this.#model.on(`change:${name}`, listener);
    this.#listeners.push(() => this.#model.off(`change:${name}`, listener));
  }

  #read<K extends keyof Traits>(name: K): Traits[K] {
    return this.#model.get(name) ?? DEFAULTS[name];
  }

  #confirmed(): BinsState {
    const bins = { corpus: this.#read("corpus"), foil: this.#read("foil"), explicands: this.#read("explicands") };
    return { bins, steps: this.#model.get("_steps") ?? NO_STEPS };
  }

  #followBins = (): void => {
    const [{ bins, steps }, applied] = [this.#confirmed(), this.#model.get("_applied")];
    const values = [...BINS.map((bin) => bins[bin]), steps, applied];
    if (equal(values, this.#followed)) return; // an earlier event of the same change
    this.#followed = values;
    this.#shown.confirm({ bins, steps }, applied?.[this.#view] ?? 0);
  };

  /** The steps that can be undone and redone. */
  get steps(): ReadonlySignal<Steps> {
    return this.#shown.steps;
  }

  /** The operations that the kernel has not acknowledged, in order. */
  get pending(): readonly Numbered[] {
    return this.#shown.pending;
  }

  /** Applies an operation to the bins at once, and returns what to send to the kernel; null when it changes nothing. */
  operate(operation: Operation): Numbered | null {
    return this.#shown.operate(operation);
  }

  /** Writes several settings as one change. */
  set(values: Partial<Settings>): void {
    this.#write(values);
    this.#save();
  }

  /** Changes the page at once, and the kernel when the values have rested. */
  setSoon(values: Partial<Settings>): void {
    this.#write(values);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SETTLE_MS);
  }

  #write(values: Partial<Settings>): void {
    // Each value that is set fires its event at once, on this page too: in a batch nothing runs until all are set.
    batch(() => {
      for (const name of Object.keys(values) as (keyof Settings)[]) this.#assign(name, values[name]);
    });
  }

  #assign<K extends keyof Settings>(name: K, value: Settings[K] | undefined): void {
    if (value === undefined) return;
    this.#model.set(name, value as (Traits & KernelTraits)[K]);
    this.#settings[name].value = value;
  }

  #save(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#outlet.save();
  }

  dispose(): void {
    if (this.#timer !== undefined) this.#save();
    for (const remove of this.#listeners) remove();
  }
}
