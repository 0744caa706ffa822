import { describe, expect, test } from "vitest";
import { fakeProducts } from "../../dev/fake-products";
import { Computer, FILTER_COST, MOST_MAPS, sharesOf } from "../../src/engine/compute";
import { ATTRIBUTION, STABILITY } from "../../src/engine/layers";
import { type ImageProducts, ProductStore } from "../../src/engine/products";
import { type Weights, weigh } from "../../src/engine/weights";

/** With one number for each image, the heatmap of x is −w at the left and 2w at the right, and its score x · w. */

const SETTINGS = { method: "rise", baseline: "blur", similarity: "cosine", template: "none", centred: false };
const numbers = { x: 0.5, a: 1, b: 3 };
const weights = weigh({ target: "contrastive_corpus", corpus: ["a"], foil: ["b"] }) as Weights;

function productsWith(members: string[]): ImageProducts {
  const store = new ProductStore();
  store.take(...fakeProducts({ numbers, members, items: [{ image: "x" }], settings: SETTINGS, space: 1 }), () => true);
  return store.of("x", SETTINGS) as ImageProducts;
}

test("nothing is computed while a member has no product", () => {
  expect(new Computer().compute(productsWith(["a"]), weights, ATTRIBUTION, 16)).toBeNull();
  expect(sharesOf(productsWith(["a"]), weights)).toBeNull();
});

test("a heatmap, its peak and its score, and the shares that sum to the score", () => {
  const found = new Computer().compute(productsWith(["a", "b"]), weights, ATTRIBUTION, 1000);
  expect(found).toMatchObject({ peak: 4, score: -1, shape: [16, 16] }); // w = 1 − 3
  expect([found?.values[0], found?.values[15]]).toEqual([2, -4]);
  expect(sharesOf(productsWith(["a", "b"]), weights)).toEqual([
    { image: "a", bin: "corpus", share: 0.5 },
    { image: "b", bin: "foil", share: -1.5 },
  ]);
});

test("a heatmap is filtered at the guide's size, and averaged for small canvases", () => {
  const guide = (i: number) => (i * i * 37) % 256;
  const store = new ProductStore();
  const items = [{ image: "x" }];
  store.take(...fakeProducts({ numbers, members: ["a", "b"], items, settings: SETTINGS, space: 1, guide }), () => true);
  const products = store.of("x", SETTINGS) as ImageProducts;
  const found = new Computer().compute(products, weights, ATTRIBUTION, 1000);
  const expected = Float32Array.from({ length: 256 }, (_, i) => (i % 16 < 8 ? 2 : -4));
  products.filter?.apply(expected);
  expect(found?.values).toEqual(expected);
  expect(found?.peak).toBe(Math.max(...expected.map(Math.abs)));
  const small = new Computer().compute(products, weights, ATTRIBUTION, 4);
  expect(small?.shape).toEqual([2, 2]);
  const corner = expected.filter((_, i) => i % 16 < 8 && i < 128);
  expect(small?.values[0]).toBeCloseTo(corner.reduce((sum, value) => sum + value, 0) / 64, 5);
  expect(small?.score).toBe(found?.score);
});

describe("the deviation over draws of the bins", () => {
  const members = ["a", "b", "x"];
  const over = (corpus: string[], foil: string[]) => weigh({ target: "contrastive_corpus", corpus, foil }) as Weights;

  test("the variances of both bins' means add up", () => {
    const found = new Computer().compute(productsWith(members), over(["a", "b"], ["b", "x"]), STABILITY, 1000);
    const variance = 1 + 1.5625; // (3 − 1)² / 4 and (3 − .5)² / 4
    expect(found?.values[0]).toBeCloseTo(Math.sqrt(variance), 5);
    expect(found?.values[15]).toBeCloseTo(2 * Math.sqrt(variance), 5);
    expect(found?.score).toBeCloseTo(0.5 * (2 - 1.75), 5);
    expect(found?.peak).toBeCloseTo(2 * Math.sqrt(variance), 5);
  });

  test("a bin with a single member has none, and a preview neither", () => {
    expect(new Computer().compute(productsWith(members), over(["a", "b"], ["x"]), STABILITY, 1000)).toBeNull();
    const preview = { ...productsWith(members), preview: true };
    expect(new Computer().compute(preview, over(["a", "b"], []), STABILITY, 1000)).toBeNull();
    expect(new Computer().compute(productsWith(members), over(["a", "b"], []), "error", 1000)).toBeNull();
  });

  test("too many members are left to the kernel, and sooner with a filter", () => {
    const many = Array.from({ length: MOST_MAPS + 1 }, (_, i) => `m${i}`);
    const guide = (i: number) => (i * 37) % 256;
    const isComputed = (count: number, filter = {}) => {
      const [store, ids] = [new ProductStore(), many.slice(0, count)];
      const items = [{ image: "x" }];
      const message = fakeProducts({ numbers, members: ids, items, settings: SETTINGS, space: 1, ...filter });
      store.take(...message, () => true);
      const products = store.of("x", SETTINGS) as ImageProducts;
      return new Computer().compute(products, over(ids, []), STABILITY, 1000) !== null;
    };
    expect([isComputed(MOST_MAPS), isComputed(MOST_MAPS + 1)]).toEqual([true, false]);
    const most = MOST_MAPS / FILTER_COST;
    expect([isComputed(most, { guide }), isComputed(most + 1, { guide })]).toEqual([true, false]);
  });
});

test("the memory of a heatmap is used again where it has the right size", () => {
  const [computer, products] = [new Computer(), productsWith(["a", "b"])];
  const values = computer.compute(products, weights, ATTRIBUTION, 1000)?.values;
  expect(computer.compute(products, weights, ATTRIBUTION, 1000, values)?.values).toBe(values);
  expect(computer.compute(products, weights, ATTRIBUTION, 8, values)?.values).not.toBe(values);
});
