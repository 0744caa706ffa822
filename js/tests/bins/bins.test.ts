import { describe, expect, test } from "vitest";
import { type Bins, clear, dropHint, move, swap } from "../../src/bins/bins";

const BINS: Bins = { corpus: ["a", "b"], foil: ["c"], explicands: ["a", "d"] };

describe("move", () => {
  test("into the corpus leaves the foil", () => {
    expect(move(BINS, ["c", "e"], "gallery", "corpus")).toEqual({
      corpus: ["a", "b", "c", "e"],
      foil: [],
      explicands: ["a", "d"],
    });
  });

  test("onto the explicands takes nothing out of the bins", () => {
    expect(move(BINS, ["b", "c"], "corpus", "explicands")).toEqual({ ...BINS, explicands: ["a", "d", "b", "c"] });
  });

  test("of an explicand into the foil keeps explaining it", () => {
    const after = move(BINS, ["a"], "explicands", "foil");
    expect(after).toEqual({ corpus: ["b"], foil: ["c", "a"], explicands: ["a", "d"] });
  });

  test("to the gallery only leaves the bin it came from", () => {
    expect(move(BINS, ["a"], "corpus", "gallery")).toEqual({ ...BINS, corpus: ["b"] });
  });

  test("from the gallery to the gallery leaves every bin", () => {
    expect(move(BINS, ["a", "c"], "gallery", "gallery")).toEqual({ corpus: ["b"], foil: [], explicands: ["d"] });
  });

  test("never duplicates", () => {
    expect(move(BINS, ["a", "b", "e", "e"], "gallery", "corpus").corpus).toEqual(["a", "b", "e"]);
  });
});

test("swap and clear", () => {
  expect(swap(BINS)).toEqual({ corpus: ["c"], foil: ["a", "b"], explicands: ["a", "d"] });
  expect(clear(BINS, "foil")).toEqual({ ...BINS, foil: [] });
});

test("a drop has a hint, and none where it would change nothing", () => {
  expect(dropHint("gallery", "foil")).toBe("Add to foil");
  expect(dropHint("corpus", "gallery")).toBe("Remove from corpus");
  expect(dropHint("corpus", "corpus")).toBeNull();
  expect(dropHint("corpus", null)).toBeNull();
});
