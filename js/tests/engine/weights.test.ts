import { expect, test } from "vitest";
import { weigh } from "../../src/engine/weights";

const NONE = new Set<string>();
const bins = { corpus: ["a", "b"], foil: ["c", "d", "e", "f"] };

test.each([
  ["contrastive_corpus", 0, ["a", "b", "c", "d", "e", "f"], [1 / 2, 1 / 2, -1 / 4, -1 / 4, -1 / 4, -1 / 4]],
  ["corpus", 0, ["a", "b"], [1 / 2, 1 / 2]],
  ["label_free", 1, [], []],
  ["contrastive_label_free", 1, ["c", "d", "e", "f"], [-1 / 4, -1 / 4, -1 / 4, -1 / 4]],
])("%s uses its own terms", (target, own, images, each) => {
  const weights = weigh({ target, ...bins }, NONE);
  expect(weights).toMatchObject({ own, members: images.map((image) => ({ image })) });
  expect("each" in weights && [...weights.each]).toEqual(each);
});

test.each([
  ["contrastive_corpus", [], [], "Nothing to explain yet: put images into the corpus, the foil, or both."],
  ["corpus", [], ["c"], "Nothing to explain yet: put images into the corpus."],
  ["contrastive_corpus", ["x"], [], "None of the images in a bin could be encoded: remove them, or add others."],
])("%s of %j and %j has nothing to explain", (target, corpus, foil, nothing) => {
  expect(weigh({ target, corpus, foil }, new Set(["x"]))).toEqual({ nothing });
});

test("a bin that is empty is left out, and so is a member that has failed", () => {
  const weights = weigh({ target: "contrastive_corpus", corpus: [], foil: ["c", "x"] }, new Set(["x"]));
  expect(weights).toMatchObject({ own: 0, members: [{ image: "c", bin: "foil" }] });
  expect("each" in weights && [...weights.each]).toEqual([-1]);
  expect(weigh({ target: "label_free", corpus: [], foil: [] }, NONE)).toMatchObject({ own: 1, members: [] });
});
