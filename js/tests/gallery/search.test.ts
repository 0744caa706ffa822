import { expect, test } from "vitest";
import { rankedWords } from "../../src/gallery/search";

test("a ranking says how much of the gallery it is about", () => {
  const ranking = { text: "", images: ["a", "b"], scores: new Map(), compared: 2, total: 2 };
  expect(rankedWords(ranking)).toBe("all 2");
  expect(rankedWords({ ...ranking, total: 1200 })).toBe("2 of 1,200 encoded so far");
  expect(rankedWords({ ...ranking, compared: 90, total: 120 })).toBe("the first 2, of 90 of 120 encoded so far");
});
