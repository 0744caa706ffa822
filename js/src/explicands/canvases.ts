import { colormapNamed } from "../engine/colormaps";
import { colour } from "../engine/colours";
import { LayerColours } from "../engine/layers";
import type { Shown } from "./heatmap";

/** A canvas of a heatmap's own size, and its pixels as bytes red, green, blue, alpha. */
interface Scratch {
  context: CanvasRenderingContext2D;
  image: ImageData;
  pixels: Uint32Array;
}

const MOST_SCRATCHES = 4;

/** The canvases that the tiles have registered, and how a heatmap is painted on them. */
export class HeatmapCanvases {
  #canvases = new Map<string, Set<HTMLCanvasElement>>();
  /** Small canvases of different sizes, from which heatmaps are enlarged; the latest last. */
  #scratches: Scratch[] = [];
  #colours = new LayerColours(colormapNamed(""));

  useColormap(name: string): void {
    this.#colours = new LayerColours(colormapNamed(name));
  }

  /** Registers a canvas for an image; returns a function that unregisters it. */
  attach(image: string, canvas: HTMLCanvasElement): () => void {
    const set = this.#canvases.get(image) ?? new Set();
    this.#canvases.set(image, set.add(canvas));
    return () => {
      set.delete(canvas);
      if (set.size === 0 && this.#canvases.get(image) === set) this.#canvases.delete(image);
    };
  }

  has(image: string): boolean {
    return this.#canvases.has(image);
  }

  #of(image: string): Iterable<HTMLCanvasElement> {
    return this.#canvases.get(image) ?? [];
  }

  /** The longest side of an image's canvases in device pixels; 0 without any. */
  side(image: string): number {
    let side = 0;
    for (const { width, height } of this.#of(image)) side = Math.max(side, width, height);
    return side;
  }

  /** Paints a heatmap on the canvases of its image; the values ±`limit` have the end colours. */
  paint(shown: Shown, limit: number): void {
    const canvases = this.#canvases.get(shown.info.image);
    if (!canvases) return;
    const [height, width] = shown.info.shape;
    const scratch = this.#scratch(width, height);
    colour(shown.values, limit > 0 ? shown.unit / limit : 0, this.#colours.of(shown.info.layer), scratch.pixels);
    scratch.context.putImageData(scratch.image, 0, 0);
    for (const canvas of canvases) {
      const context = canvas.getContext("2d");
      if (!context) continue;
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "high";
      context.drawImage(scratch.context.canvas, 0, 0, width, height, 0, 0, canvas.width, canvas.height);
    }
    this.describe(shown);
  }

  #scratch(width: number, height: number): Scratch {
    const known = this.#scratches.find(({ image }) => image.width === width && image.height === height);
    if (known) return known;
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [width, height];
    const context = canvas.getContext("2d", { willReadFrequently: true }) as CanvasRenderingContext2D;
    const image = new ImageData(width, height);
    const scratch = { context, image, pixels: new Uint32Array(image.data.buffer) };
    this.#scratches = [...this.#scratches.slice(1 - MOST_SCRATCHES), scratch];
    return scratch;
  }

  /** Writes what is shown to the attributes of its canvases, where styles, tests and scripts read it. */
  describe({ info }: Shown): void {
    for (const { dataset } of this.#of(info.image)) {
      dataset.heatmap = info.image;
      dataset.method = info.method;
      dataset.layer = info.layer;
      dataset.progress = String(info.progress);
      dataset.heatmapVersion = String(info.version);
      dataset.stale = String(info.stale);
      if (info.trial) dataset.preview = info.trial === "drop" ? "true" : info.trial;
      else delete dataset.preview;
    }
  }

  wipe(image: string): void {
    for (const canvas of this.#of(image)) {
      canvas.getContext("2d")?.clearRect(0, 0, canvas.width, canvas.height);
      for (const name of DESCRIPTION) delete canvas.dataset[name];
    }
  }
}

const DESCRIPTION = ["heatmap", "method", "layer", "progress", "heatmapVersion", "stale", "preview"] as const;
