import { describe, expect, test } from "vitest";
import { type Bins, changes, clear, dropHint, inOrder, move, remove, swap } from "../../src/bins/bins";

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
    expect(move(BINS, ["a"], "gallery", "gallery")).toBe(BINS);
  });

  test("never duplicates", () => {
    expect(changes(BINS, move(BINS, ["a", "b"], "gallery", "corpus"))).toEqual({});
  });
});

test("remove in the gallery means every bin", () => {
  expect(remove(BINS, ["a", "c"], "gallery")).toEqual({ corpus: ["b"], foil: [], explicands: ["d"] });
  expect(remove(BINS, ["a"], "explicands")).toEqual({ ...BINS, explicands: ["d"] });
});

test("swap and clear", () => {
  expect(swap(BINS)).toEqual({ corpus: ["c"], foil: ["a", "b"], explicands: ["a", "d"] });
  expect(changes(BINS, clear(BINS, "foil"))).toEqual({ foil: [] });
});

test("a drop has a hint, and none where it would change nothing", () => {
  expect(dropHint("gallery", "foil")).toBe("Add to foil");
  expect(dropHint("corpus", "gallery")).toBe("Remove from corpus");
  expect(dropHint("corpus", "corpus")).toBeNull();
  expect(dropHint("corpus", null)).toBeNull();
});

test("an image leaves before it enters", () => {
  const before = { corpus: ["a", "b"], foil: ["c"], explicands: [] };
  expect(inOrder(before, { corpus: ["c", "b"], foil: ["a"] })).toEqual([
    ["corpus", ["b"]],
    ["foil", ["a"]],
    ["corpus", ["c", "b"]],
  ]);
  expect(inOrder(before, { foil: [], corpus: ["a", "b", "c"] })).toEqual([
    ["foil", []],
    ["corpus", ["a", "b", "c"]],
  ]);
});
