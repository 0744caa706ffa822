import type { AnyModel } from "@anywidget/types";
import type { Catalogue, Frame, Heatmap, Request, Response, Traits } from "../src/protocol";

/** A model and a kernel in one, for tests and for looking at the page without Python. */

export interface FakePicture {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  width: number;
  height: number;
  frame: Frame;
}

export interface FakeOptions {
  images: string[];
  labels?: (string | null)[];
  picture: (image: string, size: number) => Promise<FakePicture>;
  traits?: Partial<Traits>;
  /** Answers bins with heatmaps by itself, as the real kernel does. */
  live?: boolean;
  silent?: boolean;
}

type Listener = (...args: unknown[]) => void;

const CHOICES = {
  methods: [
    { name: "rise", label: "RISE", hint: "Random masks, encoded once: faithful to any encoder" },
    { name: "cam", label: "CAM", hint: "The encoder's last feature map: instant and exact for average pooling" },
    { name: "integrated_gradients", label: "Integrated gradients", hint: "Complete: sums to the score. Needs passes" },
    { name: "gradcam", label: "Grad-CAM", hint: "Weighted feature maps", unavailable: "Needs a convolutional encoder" },
  ],
  targets: [
    { name: "contrastive_corpus", label: "Corpus vs. foil", hint: "What makes it like the corpus and unlike the foil" },
    { name: "corpus", label: "Corpus", hint: "What makes it like the corpus" },
    { name: "label_free", label: "Itself", hint: "What its own representation rests on" },
    { name: "contrastive_label_free", label: "Itself vs. foil", hint: "What sets it apart from the foil" },
  ],
  similarities: [
    { name: "cosine", label: "Cosine", hint: "Angle between representations" },
    { name: "dot", label: "Dot product", hint: "Also counts their length" },
  ],
};

export class FakeKernel {
  readonly sent: Request[] = [];
  readonly traits: Traits;
  saves = 0;
  version = 0;
  #listeners = new Map<string, Set<Listener>>();

  constructor(readonly options: FakeOptions) {
    this.traits = {
      corpus: [],
      foil: [],
      explicands: [],
      method: "rise",
      target: "contrastive_corpus",
      similarity: "cosine",
      colormap: "orange-blue",
      opacity: 0.7,
      scale: "shared",
      gallery_heatmaps: false,
      height: 720,
      ...options.traits,
    };
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  get model(): AnyModel<Traits> {
    return {
      get: (name: keyof Traits) => this.traits[name],
      set: (name: keyof Traits, value: never) => this.set({ [name]: value }),
      save_changes: () => {
        this.saves++;
        if (this.options.live) this.#explain();
      },
      on: (event: string, listener: Listener) => {
        const set = this.#listeners.get(event) ?? new Set();
        this.#listeners.set(event, set.add(listener));
      },
      off: (event: string, listener: Listener) => this.#listeners.get(event)?.delete(listener),
      send: (message: Request) => {
        this.sent.push(message);
        if (!this.options.silent) queueMicrotask(() => this.#answer(message));
      },
    } as unknown as AnyModel<Traits>;
  }

  /** As if Python had set traits. */
  set(values: Partial<Traits>): void {
    for (const name of Object.keys(values) as (keyof Traits)[]) {
      if (this.traits[name] === values[name]) continue;
      Object.assign(this.traits, { [name]: values[name] });
      for (const listener of [...(this.#listeners.get(`change:${name}`) ?? [])]) listener();
    }
  }

  say(message: Response | object, buffers: DataView[] = []): void {
    for (const listener of [...(this.#listeners.get("msg:custom") ?? [])]) listener(message, buffers);
  }

  requests<K extends Request["kind"]>(kind: K): Extract<Request, { kind: K }>[] {
    return this.sent.filter((message) => message.kind === kind) as Extract<Request, { kind: K }>[];
  }

  /** Sends heatmaps whose values are `pattern(x, y)`, x and y in 0..1. */
  sayHeatmaps(
    items: (Partial<Heatmap> & { image: string; pattern?: (x: number, y: number) => number })[],
    version = ++this.version,
  ): void {
    const buffers: DataView[] = [];
    const full = items.map(({ pattern = (x) => 2 * x - 1, ...item }) => {
      const [rows, columns] = item.shape ?? [32, 32];
      // An odd offset inside a larger buffer, as message buffers can have.
      const bytes = new Uint8Array(7 + 2 * rows * columns);
      const view = new DataView(bytes.buffer, 7);
      for (let i = 0; i < rows * columns; i++) {
        const value = pattern(((i % columns) + 0.5) / columns, (Math.floor(i / columns) + 0.5) / rows);
        view.setUint16(2 * i, halfBits(value), true);
      }
      buffers.push(view);
      return { method: "rise", preview: false, shape: [rows, columns], peak: 0.5, score: 0.25, progress: 1, ...item };
    });
    this.say({ kind: "heatmaps", version, items: full }, buffers);
  }

  async #answer(message: Request): Promise<void> {
    if (message.kind === "hello") this.#greet(message.id);
    else if (message.kind === "thumbnails") await this.#thumbnails(message);
    else if (message.kind === "watch" && this.options.live) this.#explain();
  }

  #greet(id: string): void {
    const { images, labels } = this.options;
    const catalogue: Catalogue = {
      id,
      kind: "catalogue",
      images,
      labels: labels ?? images.map(() => null),
      captions: images.map(() => null),
      skipped: [],
      encoder: { name: "EfficientNet-Lite0", device: "CPU, 2 threads", precision: "float32", input: [224, 224] },
      ...CHOICES,
    };
    this.say(catalogue);
    const task = this.options.live ? { label: "RISE for the explicands", done: 640, total: 1024 } : null;
    this.say({ kind: "status", device: "CPU", task, ready: 3, explicands: 4, memory: 41e6, budget: 1e9 });
    this.say({ kind: "history", undo: "move 2 images to foil", redo: null });
  }

  async #thumbnails({ id, images, size }: Extract<Request, { kind: "thumbnails" }>): Promise<void> {
    const pictures = await Promise.all(images.map((image) => this.options.picture(image, size)));
    const items = images.map((image, i) => {
      const { width, height, frame, type } = pictures[i] as FakePicture;
      return { image, width, height, frame, type };
    });
    this.say(
      { id, kind: "thumbnails", items, last: true },
      pictures.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    );
  }

  #explain(): void {
    const { corpus, foil, explicands } = this.traits;
    const version = ++this.version;
    if (!corpus.length && !foil.length) {
      this.say({ kind: "heatmaps", version, items: [], nothing: "Put images into the corpus or the foil to begin." });
      return;
    }
    const visible = this.traits.gallery_heatmaps ? (this.requests("watch").at(-1)?.visible ?? []) : [];
    const items = [...new Set([...explicands, ...visible])].map((image, i) => ({
      image,
      shape: [112, 112] as [number, number],
      peak: 0.19 + 0.03 * (i % 4),
      score: 0.31 - 0.17 * (i % 4),
      progress: i % 3 === 1 ? 0.62 : 1,
      preview: i % 5 === 4,
      pattern: blobs(i + corpus.length * 3 + foil.length * 7),
    }));
    this.sayHeatmaps(items, version);
  }
}

/** A smooth made-up heatmap with hills and valleys. */
function blobs(seed: number): (x: number, y: number) => number {
  const centres = Array.from({ length: 5 }, (_, i) => ({
    x: 0.2 + 0.6 * Math.abs(Math.sin(seed * 12.9 + i * 78.2)),
    y: 0.2 + 0.6 * Math.abs(Math.sin(seed * 39.3 + i * 11.1)),
    height: i < 3 ? 1 - 0.2 * i : -0.8 + 0.25 * (i - 3),
  }));
  return (x, y) =>
    Math.max(
      -1,
      Math.min(
        1,
        centres.reduce((sum, c) => sum + c.height * Math.exp(-((x - c.x) ** 2 + (y - c.y) ** 2) / 0.022), 0),
      ),
    );
}

/** A number to half-precision bits, rounding towards zero; enough for test data. */
export function halfBits(value: number): number {
  const sign = value < 0 ? 0x8000 : 0;
  const size = Math.abs(value);
  if (size < 2 ** -24) return sign;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  if (size < 2 ** -14) return sign | Math.floor(size / 2 ** -24);
  return sign | ((exponent + 15) << 10) | Math.floor((size / 2 ** exponent - 1) * 1024);
}
