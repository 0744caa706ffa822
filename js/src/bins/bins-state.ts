import { computed, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import type { Kernel } from "../kernel/kernel";
import type { Catalogue, Operation } from "../kernel/protocol";
import { Order } from "../ui/order";
import type { AimedBy } from "./aim";
import { type Bin, type Bins, equal } from "./bins";
import type { Drag } from "./drag";
import { apply } from "./operations";
import { Restoring } from "./restoring";
import { arranged } from "./texts";

/** The members of the bins, and a drag between them. */
export class BinsState {
  readonly all: ReadonlySignal<Bins>;
  /** The members of each bin in the order that the page shows. */
  readonly orders: Record<Bin, ReadonlySignal<Order>>;
  readonly drag = signal<Drag>({ phase: "idle" });
  /** The operations of the controls that the pointer is over, and that have the keyboard's focus. */
  readonly aims: { readonly [by in AimedBy]: Signal<Operation | null> } = {
    pointer: signal(null),
    focus: signal(null),
  };
  /** The bins as the drop or the control at which the user aims would make them; null where corpus and foil would stay. */
  readonly supposed: ReadonlySignal<Bins | null>;
  readonly restoring: Restoring;

  constructor({ settings, steps }: Kernel, catalogue: ReadonlySignal<Catalogue | null>) {
    const { corpus, foil, explicands, name } = settings;
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
      const dropped: Operation | null =
        region !== null && drag.phase === "dragging"
          ? { kind: "move", ids: [...drag.images], origin: drag.region, to: region }
          : null;
      const operation = dropped ?? this.aims.pointer.value ?? this.aims.focus.value;
      if (!operation) return null;
      const before = this.all.value;
      const after = apply({ bins: before, steps: steps.value }, operation, "trial").bins;
      return equal(after.corpus, before.corpus) && equal(after.foil, before.foil) ? null : after;
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
