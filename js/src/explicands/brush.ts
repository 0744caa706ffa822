import { colormapNamed } from "../engine/colormaps";
import { colour } from "../engine/colours";
import { type Grid, traceContour } from "../engine/contours";
import { isSigned } from "../engine/layers";
import { LayerColours, LEVELS, type Look } from "../engine/looks";
import { Magnitudes } from "../engine/magnitudes";

/** What the user has chosen about the looks of heatmaps. */
export interface Style {
  colormap: string;
  look: Look;
  /** The part of each picture that a spotlight leaves bright. */
  spotlight: number;
}

/** A heatmap to paint: `values` are in units of which `full` have the end colours. */
export interface Motif {
  layer: string;
  values: Float32Array;
  shape: readonly [number, number];
  full: number;
}

/** A canvas of a heatmap's own size, and its pixels as bytes red, green, blue, alpha. */
interface Scratch {
  context: CanvasRenderingContext2D;
  image: ImageData;
  pixels: Uint32Array;
}

const MOST_SCRATCHES = 4;
/** About how many device pixels a straight piece of a contour spans. */
const PIECE = 2.5;
const HALO = "rgb(12 11 10 / 78%)";

/** Paints heatmaps on canvases in one style. */
export class Brush {
  readonly #magnitudes = new Magnitudes();
  /** Small canvases of different sizes, from which heatmaps are enlarged; the latest last. */
  #scratches: Scratch[] = [];
  #colours = new LayerColours(colormapNamed(""));
  #style: Style = { colormap: "", look: "tint", spotlight: 0.15 };

  use(style: Style): void {
    this.#colours = new LayerColours(colormapNamed(style.colormap));
    this.#style = style;
  }

  paint(motif: Motif, canvases: Iterable<HTMLCanvasElement>): void {
    const { look, spotlight } = this.#style;
    const { layer, values, full } = motif;
    if (look === "contours") {
      for (const canvas of canvases) {
        const context = cleared(canvas);
        if (context && full > 0) this.#lines(context, motif, LEVELS, full);
      }
      return;
    }
    const edge = look === "spotlight" && full > 0 ? this.#magnitudes.count(values).percentile(1 - spotlight) : 0;
    const end = edge > 0 ? 2 * edge : full;
    const table = look === "spotlight" ? this.#colours.spotlight : this.#colours.of(layer);
    const source = this.#fill(motif, end > 0 ? 1 / end : 0, table);
    for (const canvas of canvases) {
      const context = cleared(canvas);
      if (!context) continue;
      context.imageSmoothingEnabled = true;
      context.imageSmoothingQuality = "high";
      context.drawImage(source, 0, 0, source.width, source.height, 0, 0, canvas.width, canvas.height);
      if (edge > 0) this.#lines(context, motif, [1], edge);
    }
  }

  /** Fills a small canvas with the colours of a heatmap. */
  #fill({ values, shape: [height, width] }: Motif, gain: number, table: Uint32Array): HTMLCanvasElement {
    const scratch = this.#scratch(width, height);
    colour(values, gain, table, scratch.pixels);
    scratch.context.putImageData(scratch.image, 0, 0);
    return scratch.context.canvas;
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

  /** Draws lines at some parts of `full`, on both sides of zero where there are two; the last is the thickest. */
  #lines(context: CanvasRenderingContext2D, motif: Motif, levels: readonly number[], full: number): void {
    const { width: across, height: down } = context.canvas;
    const [height, width] = motif.shape;
    const step = Math.max(1, Math.round(PIECE / Math.min(across / width, down / height)));
    const grid: Grid = { values: motif.values, width, height, across, down, step };
    const thick = Math.max(2, Math.min(4, Math.max(across, down) / 120));
    for (const [i, level] of levels.entries()) {
      const line = i === levels.length - 1 ? thick : thick / 2;
      for (const sign of isSigned(motif.layer) ? ([1, -1] as const) : ([1] as const)) {
        context.beginPath();
        traceContour(context, grid, sign * level * full);
        [context.strokeStyle, context.lineWidth] = [HALO, line + thick];
        context.stroke();
        [context.strokeStyle, context.lineWidth] = [this.#colours.line(motif.layer, sign), line];
        context.stroke();
      }
    }
  }
}

function cleared(canvas: HTMLCanvasElement): CanvasRenderingContext2D | null {
  const context = canvas.getContext("2d");
  context?.clearRect(0, 0, canvas.width, canvas.height);
  return context;
}
