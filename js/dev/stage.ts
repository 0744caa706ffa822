import { showPage } from "../src/page";
import { FakeKernel, type FakeOptions } from "./fake-kernel";
import { FakeView } from "./fake-view";

/** The page with photographs and heatmaps that a script hands in: for screenshots without a kernel. */

export interface StagedPhoto {
  /** A data URL. */
  url: string;
  width: number;
  height: number;
  frame: [number, number, number, number];
}

export interface StagedHeatmap {
  image: string;
  method: string;
  score: number;
  pixelwise: boolean;
  shape: [number, number];
  /** Base64 of little-endian float32 numbers, row by row. */
  values: string;
}

interface Stage {
  photos: Record<string, StagedPhoto>;
  labels: (string | null)[];
  heatmaps: StagedHeatmap[];
  traits: FakeOptions["traits"];
}

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** Shows the page in `el`, with a kernel that sends these heatmaps once. */
export function stage(el: HTMLElement, { photos, labels, heatmaps, traits }: Stage): FakeKernel {
  const kernel = new FakeKernel({
    images: Object.keys(photos),
    labels,
    traits,
    thumbnail: async (image) => {
      const { url, width, height, frame } = photos[image] as StagedPhoto;
      const [head, body] = url.split(",") as [string, string];
      return { bytes: bytesOf(body), type: head.slice("data:".length, head.indexOf(";")), width, height, frame };
    },
  });
  showPage(new FakeView(kernel), el);
  kernel.sayHeatmaps(
    heatmaps.map(({ values, shape, ...info }) => {
      const [rows, columns] = shape;
      const numbers = new Float32Array(bytesOf(values).buffer);
      const peak = numbers.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      const at = (x: number, y: number) => numbers[Math.floor(y * rows) * columns + Math.floor(x * columns)] as number;
      return { ...info, shape, peak, pattern: (x: number, y: number) => (peak ? at(x, y) / peak : 0) };
    }),
  );
  return kernel;
}
