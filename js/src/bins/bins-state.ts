import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { SettingSignals } from "../kernel/kernel";
import type { Catalogue } from "../kernel/protocol";
import { Order } from "../ui/order";
import { type Bin, type Bins, move, type Region } from "./bins";
import type { Drag } from "./drag";
import { Restoring } from "./restoring";
import { arranged } from "./texts";

/** A move that has not happened yet: the user drags the images over a bin, or has a button of the move in focus. */
export interface Aim {
  images: readonly string[];
  from: Region;
  /** Null removes the images from the region that they are in. */
  to: Region | null;
}

/** The members of the bins, and a drag between them. */
export class BinsState {
  readonly all: ReadonlySignal<Bins>;
  /** The members of each bin in the order that the page shows. */
  readonly orders: Record<Bin, ReadonlySignal<Order>>;
  readonly drag = signal<Drag>({ phase: "idle" });
  /** The move whose button has the focus. */
  readonly focusedMove = signal<Aim | null>(null);
  /** The bins as the move at which the user aims would make them; null where corpus and foil would stay as they are. */
  readonly supposed: ReadonlySignal<Bins | null>;
  readonly restoring: Restoring;

  constructor({ corpus, foil, explicands, name }: SettingSignals, catalogue: ReadonlySignal<Catalogue | null>) {
    this.all = computed(() => ({ corpus: corpus.value, foil: foil.value, explicands: explicands.value }));
    this.orders = {
      corpus: computed(() => new Order(arranged(corpus.value))),
      foil: computed(() => new Order(arranged(foil.value))),
      explicands: computed(() => new Order(explicands.value)),
    };
    // A string, so that moves of the pointer within a region change nothing.
    const over = computed(() => (this.drag.value.phase === "dragging" ? this.drag.value.over : null));
    this.supposed = computed(() => {
      const region = over.value;
      const drag = this.drag.peek();
      const dragged = region !== null && drag.phase === "dragging";
      const aim = dragged ? { images: drag.images, from: drag.region, to: region } : this.focusedMove.value;
      if (!aim || aim.to === aim.from) return null;
      const { images, from, to } = aim;
      const before = this.all.value;
      const after = move(before, images, from, to ?? "gallery");
      return after.corpus === before.corpus && after.foil === before.foil ? null : after;
    });
    this.restoring = new Restoring({ name, catalogue, bins: this.all });
  }

  has(bin: Bin, id: string): boolean {
    return this.orders[bin].value.has(id);
  }

  dispose(): void {
    this.restoring.dispose();
  }
}
