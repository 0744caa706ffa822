import { expect, test } from "vitest";
import type { BinsState } from "../../src/bins/history";
import { apply } from "../../src/bins/operations";
import type { Operation } from "../../src/kernel/protocol";
import vectors from "./operations.json";

/** `tests/sessions/test_operations.py` writes what the kernel makes of random operations; the page makes the same of them. */

test.each(vectors.map((sequence, i) => [i, sequence] as const))(
  "the page does what the kernel does: %s",
  (_, sequence) => {
    let state: BinsState = { bins: { corpus: [], foil: [], explicands: [] }, steps: { undo: [], redo: [] } };
    sequence.forEach(({ operation, bins: [corpus, foil, explicands], steps }, number) => {
      state = apply(state, operation as Operation, `page-${number}`);
      expect(state.bins).toEqual({ corpus, foil, explicands });
      expect({ undo: state.steps.undo.slice(-2), redo: state.steps.redo.slice(-2) }).toEqual(steps);
    });
  },
);
