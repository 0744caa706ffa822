import { afterEach, beforeEach, expect, test } from "vitest";
import type { PageQuestion } from "../../src/explicands/heatmap";
import { HeatmapPainter } from "../../src/explicands/heatmaps";
import type { Products } from "../../src/kernel/protocol";

/** Hundreds of explicands, of which few are in view. */

const SIDE = 112;
const CELLS = 7;
const COUNT = 500;
const SETTINGS = { method: "rise", baseline: "blur", similarity: "cosine", template: "none", centred: false };
const IMAGES = Array.from({ length: COUNT }, (_, i) => `image-${i}`);
const LOUD = "image-400";

let painter: HeatmapPainter;
const detaches: (() => void)[] = [];

beforeEach(() => {
  painter = new HeatmapPainter(
    () => true,
    () => true,
  );
});
afterEach(() => {
  for (const detach of detaches.splice(0)) detach();
  painter.dispose();
});

const question = (corpus: string[]): PageQuestion => ({
  settings: SETTINGS,
  layer: "attribution",
  target: "contrastive_corpus",
  corpus,
  foil: [],
});
const ask = (corpus: string[], more: object = {}) =>
  painter.ask({ question: question(corpus), supposed: null, place: null, held: false, ...more });
const view = (numbers: Float32Array) => new DataView(numbers.buffer as ArrayBuffer);

/** Each cell is spread evenly over its block of pixels, so that a heatmap has the same peak in any size. */
function blocks(): Float32Array {
  const factor = new Float32Array(SIDE * CELLS);
  for (let y = 0; y < SIDE; y++) factor[y * CELLS + Math.floor((y * CELLS) / SIDE)] = 1;
  return factor;
}

/** A heatmap has the number of the member in its first cell; ten times as much for the loud image. */
function take(numbers: Record<string, number>): void {
  const message: Products = {
    kind: "products",
    space: 1,
    settings: SETTINGS,
    members: Object.keys(numbers),
    spread: { size: [SIDE, SIDE], terms: [{ kind: "separable", cells: [CELLS, CELLS] }], filter: null },
    items: IMAGES.map((image) => ({ image, method: "rise", preview: false, progress: 1, replaces: true })),
    dropped: [],
  };
  const products = IMAGES.map((image) => {
    const values = new Float32Array((1 + message.members.length) * (CELLS ** 2 + 1));
    Object.values(numbers).forEach((number, m) => {
      values[(m + 1) * (CELLS ** 2 + 1)] = image === LOUD ? 10 * number : number;
    });
    return view(values);
  });
  painter.take(message, [view(blocks()), view(blocks()), ...products]);
}

function show(image: string): void {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [224, 224];
  detaches.push(painter.attach(image, canvas));
}

const shape = (image: string) => painter.info(image).peek()?.shape;

test("what is out of view is computed in few pixels, and its peak is part of the scale", () => {
  show("image-0");
  ask(["a"]);
  take({ a: 0.5, b: -0.25 });
  expect(shape("image-0")).toEqual([112, 112]);
  expect(shape(LOUD)).toEqual([28, 28]);
  expect(painter.info("image-499").peek()?.peak).toBe(0.5);
  expect(painter.limit("image-0")).toBe(5);
  ask(["b"]);
  expect(painter.info("image-499").peek()?.peak).toBe(0.25);
});

test("an image that comes into view is computed in full, and the scale stays", () => {
  show("image-0");
  ask(["a"]);
  take({ a: 0.5, b: -0.25 });
  const goal = painter.limit("image-0");
  show(LOUD);
  expect(shape(LOUD)).toEqual([112, 112]);
  expect([painter.limit("image-0"), painter.scale.settled.peek()]).toEqual([goal, true]);
});

test("a trial is computed of what is in view alone", () => {
  show("image-0");
  ask(["a"]);
  take({ a: 0.5, b: -0.25 });
  ask(["a"], { supposed: question(["b"]) });
  expect(IMAGES.filter((image) => painter.info(image).peek()?.trial)).toEqual(["image-0"]);
});
