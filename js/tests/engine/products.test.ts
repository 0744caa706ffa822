import { beforeEach, expect, test } from "vitest";
import { fakeProducts } from "../../dev/fake-products";
import { combine, type ImageProducts, ProductStore } from "../../src/engine/products";
import { type Weights, weigh } from "../../src/engine/weights";

/** With one number for each image, the product of x with the member c is −c, 2c and, for the score, x · c. */

const SETTINGS = { method: "rise", baseline: "blur", similarity: "cosine", template: "none", centred: false };
const numbers = { x: 0.5, y: 2, a: 1, b: 3 };
const everything = (_image: string) => true;
let store: ProductStore;
beforeEach(() => {
  store = new ProductStore();
});

interface Sent {
  members?: string[];
  space?: number;
  replaces?: boolean;
  image?: string;
  spread?: boolean;
  guide?: (i: number) => number;
}

function take(
  { members = ["a"], space = 1, replaces = true, image = "x", ...spread }: Sent,
  isShown = everything,
): string[] {
  const items = [{ image, replaces }];
  return store.take(...fakeProducts({ numbers, members, items, settings: SETTINGS, space, ...spread }), isShown);
}
const membersOf = (image: string) => [...(store.of(image, SETTINGS)?.members.keys() ?? [])];

test("later products of an image are added to earlier ones, or replace them", () => {
  expect(take({})).toEqual(["x"]);
  take({ members: ["b"], replaces: false });
  expect(membersOf("x")).toEqual(["a", "b"]);
  expect([...(store.of("x", SETTINGS)?.members.get("b") ?? [])]).toEqual([-3, 6, 1.5]);
  take({ members: ["b"] });
  expect(membersOf("x")).toEqual(["b"]);
});

test("a newer space makes earlier products worthless, and products of an older one are ignored", () => {
  take({});
  take({ image: "y", space: 2 });
  expect([membersOf("x"), membersOf("y")]).toEqual([[], ["a"]]);
  expect(take({ space: 1 })).toEqual([]);
  expect([...store.images]).toEqual(["y"]);
});

test("products are had under their own settings only", () => {
  take({});
  for (const other of [
    { method: "cam" },
    { baseline: "noise" },
    { similarity: "dot" },
    { template: "a {}" },
    { centred: true },
  ])
    expect(store.of("x", { ...SETTINGS, ...other })).toBeUndefined();
  expect(store.of("x", { ...SETTINGS })).toBeDefined();
});

const cell = (i: number, image = "y", origin = "cam.1") => `cell:${origin}:1x2:${i}:${image}`;

test("cells are kept of one image alone, of the newest operator, and leave no memory behind", () => {
  take({ members: ["a", cell(0), cell(1)] });
  expect([membersOf("x"), store.of("x", SETTINGS)?.grid]).toEqual([["a"], null]);
  store.keepCells("y");
  take({ members: [cell(0), cell(0, "x"), cell(1)], replaces: false });
  expect(membersOf("x")).toEqual(["a", cell(0), cell(1)]);
  expect(store.of("x", SETTINGS)?.grid).toEqual({ image: "y", origin: "cell:cam.1:1x2", rows: 1, columns: 2 });
  take({ members: ["b"], replaces: false });
  expect(membersOf("x")).toEqual(["a", cell(0), cell(1), "b"]);
  take({ members: [cell(1, "y", "sharp.33")], replaces: false });
  expect(membersOf("x")).toEqual(["a", "b", cell(1, "y", "sharp.33")]);
  take({ members: ["a", cell(0)] });
  store.keepCells(null);
  const { own, members, grid } = store.of("x", SETTINGS) as ImageProducts;
  expect([[...members.keys()], grid]).toEqual([["a"], null]);
  expect([own.buffer.byteLength, members.get("a")?.buffer.byteLength]).toEqual([12, 12]);
});

test("images that are not shown are not kept", () => {
  expect(take({}, (image) => image !== "x")).toEqual([]);
  take({});
  take({ image: "y" });
  store.drop((image) => image === "y");
  expect([...store.images]).toEqual(["y"]);
});

test("a buffer that is too short is refused", () => {
  const [message, buffers] = fakeProducts({
    numbers,
    members: ["a"],
    items: [{ image: "x" }],
    settings: SETTINGS,
    space: 1,
  });
  expect(() => store.take(message, buffers.slice(0, 2), everything)).toThrow("Products need 24 bytes; 0 came.");
});

test("messages with the same matrices share a spread", () => {
  take({});
  take({ image: "y" });
  expect(store.of("x", SETTINGS)?.spread).toBe(store.of("y", SETTINGS)?.spread);
});

test("without a spread, images keep theirs with its filter; those that have none are left out", () => {
  const guide = (i: number) => (i * 37) % 256;
  take({ guide });
  const { spread, filter } = store.of("x", SETTINGS) as ImageProducts;
  expect(take({ members: ["b"], replaces: false, spread: false })).toEqual(["x"]);
  take({ members: ["b"], spread: false });
  expect(membersOf("x")).toEqual(["b"]);
  expect([store.of("x", SETTINGS)?.spread, store.of("x", SETTINGS)?.filter]).toEqual([spread, filter]);
  expect(take({ image: "y", spread: false })).toEqual([]);
  take({});
  expect(store.of("x", SETTINGS)?.filter).toBeNull();
});

test("products add up by their weights, and a missing one is named", () => {
  take({ members: ["a", "b"] });
  const products = store.of("x", SETTINGS) as ImageProducts;
  const sum = new Float64Array(3);
  const question = { target: "contrastive_label_free", corpus: [], foil: ["a", "b"] };
  expect(combine(products, weigh(question) as Weights, sum)).toBeNull();
  expect([...sum]).toEqual([1.5, -3, -0.75]); // w = 0.5 − (1 + 3) / 2
  expect(combine(products, weigh({ ...question, foil: ["a", "z"] }) as Weights, sum)).toBe("z");
});
