import { Brush, type Style } from "./brush";
import type { Painted } from "./heatmap";

/** The canvases that the tiles have registered, and how a heatmap is painted on them. */
export class HeatmapCanvases {
  #canvases = new Map<string, Set<HTMLCanvasElement>>();
  readonly #brush = new Brush();

  useStyle(style: Style): void {
    this.#brush.use(style);
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
  paint(painted: Painted, limit: number): void {
    const canvases = this.#canvases.get(painted.info.image);
    if (!canvases) return;
    const { info, display, unit } = painted;
    this.#brush.paint({ layer: info.layer, values: display, shape: info.shape, full: limit / unit }, canvases);
    this.describe(painted);
  }

  /** Writes what is shown to the attributes of its canvases, where styles, tests and scripts read it. */
  describe({ info }: Pick<Painted, "info">): void {
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
