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
  troubles,
} from "../../src/bins/texts";
import { rankedWords } from "../../src/gallery/search";
import { navigate } from "../../src/ui/keyboard";
import { Rows } from "../../src/ui/rows";

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

  test("where texts stand alone", () => {
    expect(measuresGap(bins(["text:a"]), target, false)).toBe(true);
    expect(measuresGap(bins(["text:a", "text:b"]), "corpus", false)).toBe(true);
    // This target does not use the foil.
    expect(measuresGap(bins(["text:a"], ["text:b"]), "corpus", false)).toBe(true);
  });

  test("and nowhere else", () => {
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

test("what did not arrive, or not whole, is reported once for each reason", () => {
  const skipped = [
    { text: "a", reason: "It is in the bin already." },
    { text: "b", reason: "It is in the bin already." },
  ];
  const reply = { id: "", kind: "texts", added: 1, skipped, cut: ["x".repeat(400)] } as const;
  const said = troubles({ ...reply, cut: [...reply.cut] }, 77);
  expect(said[0]).toBe("Not added: “a”, “b”. It is in the bin already.");
  expect(said[1]).toMatch(/^Longer than the 77 tokens .*: “x{27}…”\.$/);
  expect(troubles({ ...reply, skipped: [], cut: [] }, null)).toEqual([]);
});

describe("rows of two sizes", () => {
  // Three texts, two to a row, above six photographs, four to a row.
  const head = { columns: 2, width: 100, height: 30, count: 3 };
  const body = { columns: 4, width: 45, height: 60, count: 6 };
  const rows = new Rows(head, body, 10);

  test("where the tiles lie", () => {
    expect(rows.place(2)).toEqual({ left: 0, top: 40, width: 100, height: 30 });
    expect(rows.place(3)).toEqual({ left: 0, top: 80, width: 45, height: 60 });
    expect(rows.place(8)).toEqual({ left: 55, top: 150, width: 45, height: 60 });
    expect(rows.height).toBe(210);
    expect([-5, 39, 40, 85, 150, 999].map((y) => rows.at(y))).toEqual([0, 0, 1, 2, 3, 3]);
    expect([0, 1, 2, 3, 4].map((row) => rows.first(row))).toEqual([0, 2, 3, 7, 9]);
  });

  test("the keys go to what is seen above and below", () => {
    const go = (key: string, from: number) => navigate(key, from, rows.count, { rows, rowsPerPage: 2 });
    expect([go("ArrowDown", 1), go("ArrowDown", 2), go("ArrowUp", 6), go("ArrowUp", 3)]).toEqual([2, 4, 2, 2]);
    expect([go("ArrowUp", 1), go("ArrowDown", 8), go("ArrowRight", 2), go("PageDown", 0)]).toEqual([1, 8, 3, 4]);
  });

  test("without any tile there is no room taken", () => {
    expect(new Rows({ ...head, count: 0 }, { ...body, count: 0 }, 10).height).toBe(0);
  });
});

test("a ranking says how much of the gallery it is about", () => {
  const ranking = { text: "", images: ["a", "b"], scores: new Map(), compared: 2, total: 2 };
  expect(rankedWords(ranking)).toBe("all 2");
  expect(rankedWords({ ...ranking, total: 1200 })).toBe("2 of 1,200 encoded so far");
  expect(rankedWords({ ...ranking, compared: 90, total: 120 })).toBe("the first 2, of 90 of 120 encoded so far");
});
