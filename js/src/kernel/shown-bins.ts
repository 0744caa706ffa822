import { batch, type Signal, signal } from "@preact/signals";
import { BINS, type Bin, type Bins, equal } from "../bins/bins";
import type { BinsState } from "../bins/history";
import { apply } from "../bins/operations";
import type { Operation, Steps } from "./protocol";

/** An operation of this view, with its number. */
export interface Numbered {
  number: number;
  operation: Operation;
}

/**
 * The bins that a view shows: those of the kernel, followed by the view's operations that the kernel has not acknowledged,
 * in order.
 */
export class ShownBins {
  readonly bins: { readonly [B in Bin]: Signal<string[]> };
  readonly steps: Signal<Steps>;
  readonly #view: string;
  #shown: BinsState;
  #pending: readonly Numbered[] = [];
  #count = 0;

  constructor(view: string, confirmed: BinsState) {
    this.#view = view;
    this.#shown = confirmed;
    const mirrored = (bin: Bin) => signal(confirmed.bins[bin] as string[]);
    this.bins = { corpus: mirrored("corpus"), foil: mirrored("foil"), explicands: mirrored("explicands") };
    this.steps = signal(confirmed.steps);
  }

  /** The operations that the kernel has not acknowledged, in order. */
  get pending(): readonly Numbered[] {
    return this.#pending;
  }

  /** Applies an operation at once, and returns what to send to the kernel; null when it changes nothing. */
  operate(operation: Operation): Numbered | null {
    const numbered = { number: this.#count + 1, operation };
    const after = this.#after(this.#shown, numbered);
    if (after === this.#shown) return null;
    this.#count++;
    this.#pending = [...this.#pending, numbered];
    this.#show(after);
    return numbered;
  }

  /** Takes the bins and the history of the kernel, which contain the operations of this view up to number `applied`. */
  confirm(state: BinsState, applied: number): void {
    this.#pending = this.#pending.filter(({ number }) => number > applied);
    this.#show(this.#pending.reduce(this.#after, state));
  }

  #after = (state: BinsState, { number, operation }: Numbered): BinsState =>
    apply(state, operation, `${this.#view}-${number}`);

  #show({ bins, steps }: BinsState): void {
    // Bins that stay the same keep their arrays, so that nothing that depends on them is computed again.
    const before = this.#shown.bins;
    const kept = { ...bins } as Record<Bin, readonly string[]>;
    for (const bin of BINS) if (equal(before[bin], bins[bin])) kept[bin] = before[bin];
    this.#shown = { bins: kept satisfies Bins, steps };
    batch(() => {
      for (const bin of BINS) this.bins[bin].value = kept[bin] as string[];
      this.steps.value = steps;
    });
  }
}
