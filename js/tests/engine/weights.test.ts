import { expect, test } from "vitest";
import { weigh } from "../../src/engine/weights";

const absent = (failed: string[], waiting: string[] = []) => ({ failed: new Set(failed), waiting: new Set(waiting) });
const bins = { corpus: ["a", "b"], foil: ["c", "d", "e", "f"] };

test.each([
  ["contrastive_corpus", 0, ["a", "b", "c", "d", "e", "f"], [1 / 2, 1 / 2, -1 / 4, -1 / 4, -1 / 4, -1 / 4]],
  ["corpus", 0, ["a", "b"], [1 / 2, 1 / 2]],
  ["label_free", 1, [], []],
  ["contrastive_label_free", 1, ["c", "d", "e", "f"], [-1 / 4, -1 / 4, -1 / 4, -1 / 4]],
])("%s uses its own terms", (target, own, images, each) => {
  const weights = weigh({ target, ...bins });
  expect(weights).toMatchObject({ own, members: images.map((image) => ({ image })) });
  expect(weights && "each" in weights && [...weights.each]).toEqual(each);
});

test.each([
  ["contrastive_corpus", [], [], "Nothing to explain yet: put images into the corpus, the foil, or both."],
  ["corpus", [], ["c"], "Nothing to explain yet: put images into the corpus."],
  ["contrastive_corpus", ["x"], [], "None of the images in a bin could be encoded: remove them, or add others."],
])("%s of %j and %j has nothing to explain", (target, corpus, foil, nothing) => {
  expect(weigh({ target, corpus, foil }, absent(["x"]))).toEqual({ nothing });
});

test("a bin that is empty is left out, and so is a member that has failed", () => {
  const weights = weigh({ target: "contrastive_corpus", corpus: [], foil: ["c", "x"] }, absent(["x"]));
  expect(weights).toMatchObject({ own: 0, members: [{ image: "c", bin: "foil" }] });
  expect(weights && "each" in weights && [...weights.each]).toEqual([-1]);
  expect(weigh({ target: "label_free", corpus: [], foil: [] })).toMatchObject({ own: 1, members: [] });
});

test("members that are waiting have no weight, and there is no answer while that is all of them", () => {
  const question = { target: "contrastive_corpus", corpus: ["a", "b"], foil: ["c"] };
  const weights = weigh(question, absent(["x"], ["b"]));
  expect(weights && "each" in weights && [...weights.each]).toEqual([1, -1]);
  expect(weigh(question, absent([], ["a", "b", "c"]))).toBeNull();
  expect(weigh({ ...question, target: "contrastive_label_free" }, absent([], ["c"]))).toMatchObject({ own: 1 });
  expect(weigh({ target: "corpus", corpus: ["a"], foil: ["c"] }, absent(["a"], ["c"]))).toHaveProperty("nothing");
});
