import type { Change, Operation } from "../kernel/protocol";
import { type Bins, clear, move, swap } from "./bins";
import { type BinsState, record, step } from "./history";

/**
 * Applies an operation, as the kernel does (`cocoa_widget/sessions/operations.py`). `id` becomes the id of its step in the
 * history. Returns the same state if nothing changes.
 */
export function apply(state: BinsState, operation: Operation, id: string): BinsState {
  if ("step" in operation) return step(state, operation.kind, operation.step);
  return record(state, changed(state.bins, operation), id);
}

function changed(bins: Bins, operation: Change): Bins {
  switch (operation.kind) {
    case "move":
      return move(bins, operation.ids, operation.origin, operation.to);
    case "clear":
      return clear(bins, operation.bin);
    case "swap":
      return swap(bins);
    case "set":
      return { corpus: operation.corpus, foil: operation.foil, explicands: operation.explicands };
  }
}
