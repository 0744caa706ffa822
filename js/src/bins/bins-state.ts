import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { SettingSignals } from "../kernel/kernel";
import type { Catalogue } from "../kernel/protocol";
import { Order } from "../ui/order";
import type { Bin, Bins } from "./bins";
import type { Drag } from "./drag";
import { Restoring } from "./restoring";
import { arranged } from "./texts";

/** The members of the bins, and a drag between them. */
export class BinsState {
  readonly all: ReadonlySignal<Bins>;
  /** The members of each bin in the order that the page shows. */
  readonly orders: Record<Bin, ReadonlySignal<Order>>;
  readonly drag = signal<Drag>({ phase: "idle" });
  readonly restoring: Restoring;

  constructor({ corpus, foil, explicands, name }: SettingSignals, catalogue: ReadonlySignal<Catalogue | null>) {
    this.all = computed(() => ({ corpus: corpus.value, foil: foil.value, explicands: explicands.value }));
    this.orders = {
      corpus: computed(() => new Order(arranged(corpus.value))),
      foil: computed(() => new Order(arranged(foil.value))),
      explicands: computed(() => new Order(explicands.value)),
    };
    this.restoring = new Restoring({ name, catalogue, bins: this.all });
  }

  has(bin: Bin, id: string): boolean {
    return this.orders[bin].value.has(id);
  }

  dispose(): void {
    this.restoring.dispose();
  }
}
