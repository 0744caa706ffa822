import { batch, computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import type { BinsState } from "../bins/bins-state";
import { usedMembers } from "../engine/weights";
import type { Kernel } from "../kernel/kernel";
import type { Heatmaps, Products } from "../kernel/protocol";
import { type PageQuestion, sameQuestion } from "./heatmap";
import { HeatmapPainter } from "./heatmaps";
import { Pointing } from "./pointing";

const NONE: readonly string[] = [];

/** The heatmap value under the pointer, and what it is painted as. */
export interface Probe {
  image: string;
  value: number;
  display: number;
}

/** The heatmaps, and whether they answer the bins and settings of the page. */
export class ExplicandsState {
  readonly heatmaps: HeatmapPainter;
  readonly probe = signal<Probe | null>(null);
  readonly pointing = new Pointing();
  /** The device pixels at which the heatmaps of the explicands are painted. */
  readonly heatmapPixels = signal(0);
  /** The explicands on screen. */
  readonly seen = signal<readonly string[]>([]);
  /** The members that the target uses, and those of them that heatmaps do without until they are encoded. */
  readonly used: ReadonlySignal<readonly string[]>;
  readonly waiting: ReadonlySignal<readonly string[]>;
  /** The version of the kernel's answer to the present question; −1 until it has answered. */
  readonly answered: ReadonlySignal<number>;
  /** Whether an explicand has no heatmap for the present question, although there is something to explain. */
  readonly incomplete: ReadonlySignal<boolean>;
  /** The largest size of a score on the page. */
  readonly largestScore: ReadonlySignal<number>;
  /** The bins and settings that heatmaps depend on. */
  readonly #question: ReadonlySignal<PageQuestion>;
  /** The question that the newest heatmaps of the kernel answer. */
  readonly #newest = signal<PageQuestion | null>(null);
  readonly #stops: (() => void)[];

  constructor({ settings, state }: Kernel, bins: BinsState) {
    const { method, target, similarity, baseline, layer, template, centred, scale } = settings;
    this.heatmaps = new HeatmapPainter(
      (image) => bins.orders.explicands.peek().has(image),
      () => scale.peek() === "shared",
    );
    const asked = computed(() => ({
      settings: {
        method: method.value,
        baseline: baseline.value,
        similarity: similarity.value,
        template: template.value,
        centred: centred.value,
      },
      target: target.value,
      layer: layer.value,
    }));
    this.#question = computed(() => ({ ...asked.value, corpus: settings.corpus.value, foil: settings.foil.value }));
    this.used = computed(() => usedMembers(this.#question.value));
    this.waiting = computed(() => {
      const lacking = new Set(this.heatmaps.waiting.value);
      return lacking.size ? this.used.value.filter((member) => lacking.has(member)) : NONE;
    });
    const answers = computed(
      () => this.#newest.value !== null && sameQuestion(this.#newest.value, this.#question.value),
    );
    this.answered = computed(() => (answers.value ? this.heatmaps.version.value : -1));
    this.incomplete = computed(() => {
      this.#question.value;
      if (this.heatmaps.nothing.value !== null) return false;
      return bins.orders.explicands.value.ids.some((image) => {
        const info = this.heatmaps.info(image).value;
        return !info || info.stale || info.version !== this.heatmaps.version.value;
      });
    });
    this.largestScore = computed(() =>
      bins.orders.explicands.value.ids.reduce(
        (largest, image) => Math.max(largest, Math.abs(this.heatmaps.info(image).value?.score ?? 0)),
        0,
      ),
    );
    const dragging = computed(() => bins.drag.value.phase === "dragging");
    this.#stops = [
      // Before anything is rendered again: heatmaps are painted in the frame of the event.
      effect(() => {
        const [question, held, after] = [this.#question.value, dragging.value, bins.supposed.value];
        const place = held || after ? null : this.pointing.place.value;
        const supposed = after && { ...question, corpus: after.corpus, foil: after.foil };
        // A silent kernel may never answer a newer question; one that is gone answers nothing.
        const old = state.value === "closed" || (state.value === "silent" && !answers.value);
        untracked(() => {
          this.heatmaps.ask({ question, supposed, place, held });
          if (old) this.heatmaps.outdate();
          this.#findGrid();
        });
      }),
      effect(() => {
        const image = this.pointing.image.value;
        if (image !== null && !bins.has("explicands", image)) untracked(() => this.pointing.leave());
      }),
      effect(() => {
        const { colormap, look, spotlight } = settings;
        const style = { colormap: colormap.value, look: look.value, spotlight: spotlight.value };
        untracked(() => this.heatmaps.useStyle(style));
      }),
      effect(() => {
        scale.value;
        this.heatmaps.repaint();
      }),
    ];
  }

  receive(message: Heatmaps, buffers: DataView[]): void {
    batch(() => {
      if (message.version > this.heatmaps.version.peek()) this.#newest.value = this.#question.peek();
      this.heatmaps.receive(message, buffers);
    });
  }

  take(message: Products, buffers: DataView[]): void {
    this.heatmaps.take(message, buffers);
    this.#findGrid();
  }

  /** Finds out which cells the explicand has that is pointed at. */
  #findGrid(): void {
    const image = this.pointing.image.peek();
    this.pointing.grid.value = image === null ? null : this.heatmaps.grid(image);
  }

  dispose(): void {
    for (const stop of this.#stops) stop();
    this.heatmaps.dispose();
  }
}
