import { describe, expect, test } from "vitest";
import { dropHint, measuresGap, move } from "../../src/bins/bins";
import {
  amount,
  arranged,
  isText,
  nameOf,
  promptOf,
  quoted,
  splitPrompts,
  templateError,
  textId,
  textProblems,
} from "../../src/bins/texts";

describe("what was typed or pasted is divided", () => {
  test.each([
    ["  a   dog ", ["a dog"]],
    ["a dog\r\na cat\n\n a dog", ["a dog", "a cat"]],
    ["a dog; a cat;", ["a dog", "a cat"]],
    ["dog\tcat", ["dog", "cat"]],
    ["cat, dog, great white shark", ["cat", "dog", "great white shark"]],
    ["cat, dog", ["cat, dog"]],
    ["a dog, sitting on the green grass, at noon", ["a dog, sitting on the green grass, at noon"]],
    ["a red, white, and blue flag", ["a red, white, and blue flag"]],
    ["cat, dog, run!", ["cat, dog, run!"]],
    ["great white shark, tiger shark\nsea lion", ["great white shark, tiger shark", "sea lion"]],
    [" \n;\t", []],
  ])("%j", (text, prompts) => {
    expect(splitPrompts(text)).toEqual(prompts);
  });

  test("5,000 lines", () => {
    const text = Array.from({ length: 5000 }, (_, i) => `prompt ${i}`).join("\n");
    expect(splitPrompts(text)).toHaveLength(5000);
  });
});

test("the id keeps the prompt, with the white space of a line", () => {
  expect(textId(" a\n dog ")).toBe("text:a dog");
  expect(promptOf(textId("text: 🐕; <b>"))).toBe("text: 🐕; <b>");
  expect([isText("text:a"), isText("photo:a"), isText("a text:b")]).toEqual([true, false, false]);
});

test("names in messages are short and never cut through a character", () => {
  expect(nameOf("image-1")).toBe("image-1");
  expect(nameOf("text:a dog")).toBe("“a dog”");
  expect(quoted("🐕".repeat(50), 10)).toBe(`“${"🐕".repeat(9)}…”`);
  expect(quoted("🐕".repeat(10), 10)).toBe(`“${"🐕".repeat(10)}”`);
  expect(quoted("x".repeat(10_000))).toHaveLength(42);
});

test("members are counted by what they are", () => {
  expect(amount(["a"])).toBe("1 image");
  expect(amount(["text:a", "text:b"])).toBe("2 texts");
  expect(amount(["text:a", "b", "c"])).toBe("1 text and 2 images");
});

test("texts come first; otherwise the order stays, and so does the list", () => {
  expect(arranged(["a", "text:b", "c", "text:d"])).toEqual(["text:b", "text:d", "a", "c"]);
  const images = ["a", "b"];
  expect(arranged(images)).toBe(images);
});

test("texts are never explained", () => {
  const bins = { corpus: ["text:a", "b"], foil: [], explicands: [] };
  expect(move(bins, ["text:a", "b"], "corpus", "explicands").explicands).toEqual(["b"]);
  expect(dropHint("corpus", "explicands", ["text:a"])).toBeNull();
  expect(dropHint("corpus", "explicands", ["text:a", "b"])).toBe("Explain");
  expect(dropHint("corpus", "foil", ["text:a"])).toBe("Add to foil");
});

describe("the gap between texts and images is warned of", () => {
  const bins = (corpus: string[], foil: string[] = []) => ({ corpus, foil, explicands: [] });
  const target = "contrastive_corpus";

  test("if the score uses texts alone", () => {
    expect(measuresGap(bins(["text:a"]), target, false)).toBe(true);
    expect(measuresGap(bins(["text:a", "text:b"]), "corpus", false)).toBe(true);
    // This target does not use the foil.
    expect(measuresGap(bins(["text:a"], ["text:b"]), "corpus", false)).toBe(true);
  });

  test("not with images, a foil of texts or centring", () => {
    expect(measuresGap(bins(["text:a"]), target, true)).toBe(false);
    expect(measuresGap(bins(["text:a"], ["text:b"]), target, false)).toBe(false);
    expect(measuresGap(bins(["text:a", "b"]), target, false)).toBe(false);
    expect(measuresGap(bins([]), target, false)).toBe(false);
    expect(measuresGap(bins(["text:a"]), "label_free", false)).toBe(false);
  });
});

test("a template has one place for the text", () => {
  expect(templateError("a drawing of a {}")).toBeNull();
  expect(templateError("a drawing")).toContain("{}");
  expect(templateError("{} and {}")).toContain("{}");
});

test("texts that are not added, or cut, are reported once for each reason", () => {
  const skipped = [
    { text: "a", reason: "It is in the bin already." },
    { text: "b", reason: "It is in the bin already." },
  ];
  const reply = { id: "", kind: "texts", added: 1, skipped, cut: ["x".repeat(400)] } as const;
  const said = textProblems({ ...reply, cut: [...reply.cut] }, 77);
  expect(said[0]).toBe("Not added: “a”, “b”. It is in the bin already.");
  expect(said[1]).toMatch(/^Longer than the 77 tokens .*: “x{27}…”\.$/);
  expect(textProblems({ ...reply, skipped: [], cut: [] }, null)).toEqual([]);
});
