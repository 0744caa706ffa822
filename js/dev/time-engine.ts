import { COLORMAPS, colorTable } from "../src/engine/colormaps";
import { colour } from "../src/engine/colours";
import { Computer } from "../src/engine/compute";
import { ATTRIBUTION } from "../src/engine/layers";
import { LOOKS } from "../src/engine/looks";
import { type ImageProducts, ProductStore } from "../src/engine/products";
import { type Weights, weigh } from "../src/engine/weights";
import { HeatmapPainter } from "../src/explicands/heatmaps";
import type { Products } from "../src/kernel/protocol";

/** Times how long the page takes to compute and paint heatmaps; `benchmarks/page_engine.py` calls it in a browser. */

interface Setting {
  explicands: number;
  members: number;
  /** Cells, pixels of the products' heatmaps, and device pixels of a tile: of one side each. */
  cells: number;
  size: number;
  tile: number;
  runs: number;
  /** Whether heatmaps end with a guided filter. */
  guided: boolean;
}

const SETTINGS = { method: "rise", baseline: "blur", similarity: "cosine", template: "none", centred: false };

/** The median of times in milliseconds, and what 95 of 100 stay below. */
function summary(times: number[]): { median: number; most: number } {
  const sorted = [...times].sort((a, b) => a - b);
  return { median: sorted[sorted.length >> 1] as number, most: sorted[Math.floor(sorted.length * 0.95)] as number };
}

function time(runs: number, run: (i: number) => void): { median: number; most: number } {
  for (let i = 0; i < 30; i++) run(i); // until the code is compiled
  const times = Array.from({ length: runs }, (_, i) => {
    const start = performance.now();
    run(i);
    return performance.now() - start;
  });
  return summary(times);
}

const view = (count: number) => {
  const numbers = Float32Array.from({ length: count }, () => Math.random() - 0.5);
  return new DataView(numbers.buffer);
};

/** The matrix size × cells that spreads cells bilinearly, of which most entries are 0. */
function bilinear(size: number, cells: number): DataView {
  const found = Float32Array.from({ length: size * cells }, (_, i) => {
    const place = ((Math.floor(i / cells) + 0.5) * cells) / size - 0.5;
    return Math.max(0, 1 - Math.abs(place - (i % cells)));
  });
  return new DataView(found.buffer);
}

const pixels = (count: number) => new DataView(Uint8Array.from({ length: count }, () => 256 * Math.random()).buffer);

export function timeEngine({ explicands, members, cells, size, tile, runs, guided }: Setting): Record<string, object> {
  const images = Array.from({ length: explicands }, (_, i) => `explicand-${i}`);
  const ids = Array.from({ length: members }, (_, i) => `member-${i}`);
  const message: Products = {
    kind: "products",
    space: 1,
    settings: SETTINGS,
    members: ids,
    spread: {
      size: [size, size],
      terms: [{ kind: "separable", cells: [cells, cells] }],
      filter: guided ? { radius: Math.round((10 * size) / 112), epsilon: 3e-4 } : null,
    },
    items: images.map((image) => ({ image, method: "rise", preview: false, progress: 1, replaces: true })),
    dropped: [],
  };
  const buffers = [
    bilinear(size, cells),
    bilinear(size, cells),
    ...images.map(() => view((1 + members) * (cells ** 2 + 1))),
    ...(guided ? images.map(() => pixels(3 * size ** 2)) : []),
  ];
  const half = members / 2;
  const questions = [0, 1].map((more) => ({
    settings: SETTINGS,
    layer: "attribution",
    target: "contrastive_corpus",
    corpus: ids.slice(0, half + more),
    foil: ids.slice(half + more),
  }));

  const store = new ProductStore();
  store.take(message, buffers, () => true);
  const products = images.map((image) => store.of(image, SETTINGS) as ImageProducts);
  const computer = new Computer();
  const values: (Float32Array | undefined)[] = [];
  const table = colorTable(COLORMAPS[0]);
  const painted = new Uint32Array(112 * 112);
  const compute = (i: number) => {
    const weights = weigh(questions[i % 2] as (typeof questions)[0]) as Weights;
    products.forEach((each, at) => {
      values[at] = computer.compute(each, weights, ATTRIBUTION, tile, values[at])?.values;
    });
  };
  const colours = () => {
    for (const each of values) colour(each as Float32Array, 1, table, painted);
  };

  const painter = new HeatmapPainter(
    () => true,
    () => true,
  );
  const canvases = images.map((image) => {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [tile, tile];
    document.body.append(canvas);
    return [painter.attach(image, canvas), canvas] as const;
  });
  const ask = (i: number) => {
    painter.ask({ question: questions[i % 2] as (typeof questions)[0], supposed: null, place: null, held: false });
  };
  ask(0);
  painter.take(message, buffers);
  const result: Record<string, object> = { "products and spread": time(runs, compute), colours: time(runs, colours) };
  for (const { name } of LOOKS) {
    painter.useStyle({ colormap: "", look: name, spotlight: 0.15 });
    result[`all, painted on the tiles as ${name}`] = time(runs, ask);
  }
  for (const [detach, canvas] of canvases) {
    detach();
    canvas.remove();
  }
  painter.dispose();
  return result;
}
