import { expect, test } from "vitest";
import { fakeProducts } from "../../dev/fake-products";
import { Computer, sharesOf } from "../../src/engine/compute";
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
  expect(new Computer().compute(productsWith(["a"]), weights, 16)).toBeNull();
  expect(sharesOf(productsWith(["a"]), weights)).toBeNull();
});

test("a heatmap, its peak and its score, and the shares that sum to the score", () => {
  const found = new Computer().compute(productsWith(["a", "b"]), weights, 1000);
  expect(found).toMatchObject({ peak: 4, score: -1, shape: [16, 16] }); // w = 1 − 3
  expect([found?.values[0], found?.values[15]]).toEqual([2, -4]);
  expect(sharesOf(productsWith(["a", "b"]), weights)).toEqual([
    { image: "a", bin: "corpus", share: 0.5 },
    { image: "b", bin: "foil", share: -1.5 },
  ]);
});

test("the memory of a heatmap is used again where it has the right size", () => {
  const [computer, products] = [new Computer(), productsWith(["a", "b"])];
  const values = computer.compute(products, weights, 1000)?.values;
  expect(computer.compute(products, weights, 1000, values)?.values).toBe(values);
  expect(computer.compute(products, weights, 8, values)?.values).not.toBe(values);
});
