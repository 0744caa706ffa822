import { computed, effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { equal } from "../bins/bins";
import type { Kernel } from "../kernel/kernel";
import type { Heatmaps } from "../kernel/protocol";
import type { Order } from "../ui/order";
import { HeatmapPainter } from "./heatmaps";

/** The heatmap value under the pointer. */
export interface Probe {
  image: string;
  value: number;
}

/** The heatmaps, and whether they answer the bins and settings of the page. */
export class ExplicandsState {
  readonly heatmaps: HeatmapPainter;
  readonly probe = signal<Probe | null>(null);
  /** The device pixels at which the heatmaps of the explicands are painted. */
  readonly heatmapPixels = signal(0);
  /** The bins and settings that heatmaps depend on. */
  readonly #question: ReadonlySignal<readonly unknown[]>;
  /** The question that the newest heatmaps answer. */
  #answered: readonly unknown[] = [];
  readonly #stops: (() => void)[];

  constructor({ settings, state }: Kernel, order: ReadonlySignal<Order>) {
    const { method, target, similarity, baseline, layer, template, centred, corpus, foil, colormap, scale } = settings;
    this.heatmaps = new HeatmapPainter(
      (image) => order.peek().has(image),
      () => scale.peek() === "shared",
    );
    this.#question = computed(() => [
      ...[method, target, similarity, baseline, layer, template, centred].map(({ value }) => value),
      ...[...corpus.value, "", ...foil.value],
    ]);
    this.#stops = [
      effect(() => this.heatmaps.useColormap(colormap.value)),
      effect(() => {
        scale.value;
        this.heatmaps.repaint();
      }),
      effect(() => {
        // A silent kernel may never answer a newer question; one that is gone answers nothing.
        const old =
          state.value === "closed" || (state.value === "silent" && !equal(this.#question.value, this.#answered));
        if (old) untracked(() => this.heatmaps.outdate());
      }),
    ];
  }

  receive(message: Heatmaps, buffers: DataView[]): void {
    if (message.version > this.heatmaps.version.peek()) this.#answered = this.#question.peek();
    this.heatmaps.receive(message, buffers);
  }

  dispose(): void {
    for (const stop of this.#stops) stop();
  }
}
