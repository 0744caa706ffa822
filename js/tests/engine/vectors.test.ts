import { describe, expect, test } from "vitest";
import { Computer, sharesOf } from "../../src/engine/compute";
import { ATTRIBUTION, STABILITY } from "../../src/engine/layers";
import { type ImageProducts, ProductStore } from "../../src/engine/products";
import { type Weights, weigh } from "../../src/engine/weights";
import type { Products } from "../../src/kernel/protocol";
import text from "./vectors.json?raw";

/** The page's engine against the kernel's heatmaps and scores, which `tests/host/test_page_vectors.py` writes. */

interface Case {
  name: string;
  message: Products;
  base64: string[];
  answers: {
    target: string;
    corpus: string[];
    foil: string[];
    heatmap: string;
    half: string;
    score: number;
    deviation?: string;
  }[];
}

const bytes = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
const view = (base64: string) => new DataView(bytes(base64).buffer);
const floats = (base64: string) => new Float32Array(bytes(base64).buffer);

/** The largest difference of two heatmaps, as a part of the largest value. */
function distance(found: Float32Array, expected: Float32Array): number {
  expect(found).toHaveLength(expected.length);
  const peak = Math.max(...expected.map(Math.abs));
  return Math.max(...expected.map((value, i) => Math.abs(value - (found[i] as number)))) / peak;
}

describe.each(JSON.parse(text) as Case[])("$name", ({ message, base64, answers }) => {
  const store = new ProductStore();
  store.take(message, base64.map(view), () => true);
  const products = store.of("x", message.settings) as ImageProducts;
  const size = message.spread?.size as [number, number];
  test.each(answers)("$target of $corpus and $foil", ({ heatmap, half, score, deviation, ...compared }) => {
    const weights = weigh(compared) as Weights;
    const computer = new Computer();
    const found = computer.compute(products, weights, ATTRIBUTION, 1000);
    expect(found?.shape).toEqual(size);
    expect(distance(found?.values as Float32Array, floats(heatmap))).toBeLessThan(1e-5);
    expect(found?.peak).toBeCloseTo(Math.max(...floats(heatmap).map(Math.abs)), 5);
    expect(found?.score).toBeCloseTo(score, 5);
    const halved = computer.compute(products, weights, ATTRIBUTION, Math.max(...size));
    expect(distance(halved?.values as Float32Array, floats(half))).toBeLessThan(1e-5);
    if (deviation) {
      const deviated = computer.compute(products, weights, STABILITY, 1000)?.values as Float32Array;
      // Draws of the bins cannot change a score without members.
      if (compared.target === "label_free") expect(Math.max(...deviated)).toBe(0);
      else expect(distance(deviated, floats(deviation))).toBeLessThan(1e-5);
    }
    const shares = sharesOf(products, weights) ?? [];
    const own = weights.own * (products.own[products.spread.k] as number);
    expect(shares.reduce((sum, { share }) => sum + share, own)).toBeCloseTo(score, 5);
  });
});
