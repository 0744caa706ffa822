import { BINS, type Bins } from "../src/bins/bins";
import { record } from "../src/bins/history";
import { apply } from "../src/bins/operations";
import { textId } from "../src/bins/texts";
import type {
  Catalogue,
  Frame,
  Heatmap,
  KernelTraits,
  Product,
  Products,
  Request,
  Response,
  Traits,
} from "../src/kernel/protocol";
import { DEFAULTS, NO_STEPS } from "../src/kernel/traits";
import { fakeCurves, fakeInfluence, fakeSearch, fakeStability } from "./fake-answers";
import { CHOICES } from "./fake-catalogue";
import { fakeProducts } from "./fake-products";

/** A kernel for tests, and for looking at the page without Python. `FakeView` and `FakeModel` connect a page to it. */

export interface FakeThumbnail {
  bytes: Uint8Array<ArrayBuffer>;
  type: string;
  width: number;
  height: number;
  frame: Frame;
}

export interface FakeOptions {
  images: string[];
  labels?: (string | null)[];
  thumbnail: (image: string, size: number) => Promise<FakeThumbnail>;
  traits?: Partial<Traits>;
  /** Answers bins with heatmaps by itself, as the real kernel does. */
  live?: boolean;
  silent?: boolean;
  modelId?: string;
  /** What differs from the usual catalogue; `undefined` takes a field away, as an older kernel would. */
  catalogue?: { [K in keyof Catalogue]?: Catalogue[K] | undefined };
}

interface FakeProductOptions extends Partial<Products["settings"]> {
  members?: string[];
  space?: number;
  dropped?: string[];
}

export type AllTraits = Traits & KernelTraits;

/** A view or a model that is connected to the kernel. */
export interface End {
  /** Called when settings have new values. */
  changed(names: (keyof AllTraits)[]): void;
  receive(message: Response, buffers: DataView[]): void;
  cutOff(): void;
}

const only = (traits: Bins) => Object.fromEntries(BINS.map((bin) => [bin, traits[bin]])) as Pick<Traits, keyof Bins>;

/** Traits that change what is shown and not what is asked. */
const SHOWN = {
  explicands: 0,
  colormap: 0,
  opacity: 0,
  scale: 0,
  look: 0,
  spotlight: 0,
  gallery_heatmaps: 0,
  height: 0,
};

/** What tests may leave out of a message of heatmaps. */
const WHOLE = { space: 0, waiting: [] as string[] };

export class FakeKernel {
  readonly sent: Request[] = [];
  readonly traits: AllTraits;
  readonly ends = new Set<End>();
  /** Counts the changes that pages have made. */
  saves = 0;
  version = 0;
  /** Messages have their buffers as base64: `base64` was asked for. */
  usesBase64 = false;
  #cancelled = new Set<string>();
  #question = "";
  #steps = 0;
  #stability: ReturnType<typeof setTimeout> | undefined;

  constructor(readonly options: FakeOptions) {
    this.traits = { ...DEFAULTS, ...options.traits, _applied: {}, _steps: NO_STEPS };
  }

  /** As if Python had set traits. */
  set(values: Partial<Traits>): void {
    const { bins, steps } = record(this.#state, { ...this.#state.bins, ...values }, `code-${++this.#steps}`);
    this.#assign({ ...values, ...only(bins), _steps: steps });
  }

  #assign(values: Partial<AllTraits>): void {
    const changed = (Object.keys(values) as (keyof AllTraits)[]).filter((name) => this.traits[name] !== values[name]);
    Object.assign(this.traits, values);
    for (const end of [...this.ends]) end.changed(changed);
  }

  get #state() {
    return { bins: only(this.traits), steps: this.traits._steps };
  }

  #operate({ view, number, operation }: Extract<Request, { kind: "operation" }>): void {
    const applied = this.traits._applied;
    if (number !== (applied[view] ?? 0) + 1) return;
    const { bins, steps } = apply(this.#state, operation, `${view}-${number}`);
    this.#assign({ ...only(bins), _steps: steps, _applied: { ...applied, [view]: number } });
    this.save();
  }

  /** Takes what a page has set. */
  save(): void {
    this.saves++;
    if (this.options.live) this.#explain();
  }

  /** Takes a message of a page, and answers it. */
  take(message: Request): void {
    this.sent.push(message);
    if (message.kind === "operation" && !this.options.silent) this.#operate(message);
    else if (!this.options.silent) queueMicrotask(() => this.#answer(message));
  }

  /** Cuts off all views and models, as a restart does. */
  cutOff(): void {
    for (const end of [...this.ends]) end.cutOff();
  }

  /** Whether a view watches: its latest such message was `watch` and not `leave`. */
  knows(view: string): boolean {
    return this.sent.findLast((m) => m.view === view && (m.kind === "watch" || m.kind === "leave"))?.kind === "watch";
  }

  say(message: Response | object, buffers: DataView[] = []): void {
    const whole = { ...("kind" in message && message.kind === "heatmaps" && WHOLE), ...message };
    const [body, sent] =
      this.usesBase64 && buffers.length ? [{ ...whole, base64: buffers.map(asBase64) }, []] : [whole, buffers];
    for (const end of [...this.ends]) end.receive(body as Response, sent);
  }

  requests<K extends Request["kind"]>(kind: K): (Request & { kind: K })[] {
    return this.sent.filter((message) => message.kind === kind) as (Request & { kind: K })[];
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
      return {
        method: "rise",
        layer: "attribution",
        preview: false,
        shape: [rows, columns],
        peak: 0.5,
        score: 0.25,
        progress: 1,
        ...item,
      };
    });
    this.say({ kind: "heatmaps", version, items: full, failed: [] }, buffers);
  }

  /** Sends products of images, by default with those of `numbers` as members, as the settings of the moment ask for them. */
  sayProducts(
    images: (string | (Partial<Product> & { image: string }))[],
    numbers: Record<string, number>,
    { members = Object.keys(numbers), space = 1, dropped = [], ...settings }: FakeProductOptions = {},
  ): void {
    const { method, baseline, similarity, template, centred } = { ...this.traits, ...settings };
    const items = images.map((item) => (typeof item === "string" ? { image: item } : item));
    this.say(
      ...fakeProducts({
        numbers,
        members,
        items,
        space,
        dropped,
        settings: { method, baseline, similarity, template, centred },
      }),
    );
  }

  async #answer(message: Request): Promise<void> {
    if (message.kind === "hello") this.#greet(message.id);
    else if (message.kind === "thumbnails") await this.#thumbnails(message);
    else if (message.kind === "base64") this.usesBase64 = true;
    else if (message.kind === "ping") this.say({ id: message.id, kind: "pong", known: this.knows(message.view) });
    else if (message.kind === "bins") for (const end of [...this.ends]) end.changed([...BINS, "_applied", "_steps"]);
    else if (!this.options.live) return;
    else if (message.kind === "add_texts") setTimeout(() => this.#addTexts(message), 300);
    else if (message.kind === "search") {
      setTimeout(() => this.say(fakeSearch(message.id, this.options.images)), 300);
    } else if (message.kind === "watch") this.#explain();
    else if (message.kind === "influence") {
      setTimeout(() => this.say(fakeInfluence(message.id, message.image, this.traits)), 200);
    } else if (message.kind === "curves") this.#curves(message.id, message.image, 0);
    else if (message.kind === "cancel") this.#cancelled.add(message.cancels);
  }

  #addTexts({ id, bin, texts, list }: Extract<Request, { kind: "add_texts" }>): void {
    const prompts = list ? Array.from({ length: 1000 }, (_, i) => `${list} name ${i}`) : texts;
    const members = new Set(this.traits[bin]);
    const added = prompts.map(textId).filter((text) => !members.has(text));
    this.set({ [bin]: [...members, ...added] });
    this.say({ id, kind: "texts", added: added.length, skipped: [], cut: prompts.filter((text) => text.length > 300) });
    this.#explain();
  }

  #greet(id: string): void {
    const { images, labels } = this.options;
    const catalogue: Catalogue = {
      id,
      kind: "catalogue",
      model: this.options.modelId ?? "model-1",
      images,
      labels: labels ?? images.map(() => null),
      captions: images.map(() => null),
      skipped: [],
      encoder: { name: "EfficientNet-Lite0", device: "CPU, 2 threads", precision: "float32", input: [224, 224] },
      ...CHOICES,
    };
    const counting = Uint8Array.from({ length: 256 }, (_, i) => i);
    this.say({ ...catalogue, ...this.options.catalogue }, [new DataView(counting.buffer)]);
    const task = this.options.live ? { label: "RISE for the explicands", done: 640, total: 1024 } : null;
    this.say({ kind: "status", device: "CPU", task, ready: 3, explicands: 4, memory: 41e6, budget: 1e9, alike: null });
  }

  async #thumbnails({ id, images, size }: Extract<Request, { kind: "thumbnails" }>): Promise<void> {
    const thumbnails = await Promise.all(images.map((image) => this.options.thumbnail(image, size)));
    const items = images.map((image, i) => {
      const { width, height, frame, type } = thumbnails[i] as FakeThumbnail;
      return { image, width, height, frame, type };
    });
    this.say(
      { id, kind: "thumbnails", items, last: true },
      thumbnails.map(({ bytes }) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    );
  }

  /** Slowly, so that the progress can be seen. */
  #curves(id: string, image: string, done: number): void {
    const total = 176;
    if (this.#cancelled.has(id)) return;
    this.say(fakeCurves(id, image, Math.min(done, total), total));
    if (done < total) setTimeout(() => this.#curves(id, image, done + 16), 120);
  }

  #explain(): void {
    const { corpus, foil, explicands, layer } = this.traits;
    // As in the real kernel, images that a view newly shows are part of the answer to the same question.
    const question = JSON.stringify({ ...this.traits, ...SHOWN });
    if (question !== this.#question) this.version++;
    this.#question = question;
    const version = this.version;
    if (!corpus.length && !foil.length) {
      this.say({
        kind: "heatmaps",
        version,
        items: [],
        failed: [],
        nothing: "Put images into the corpus or the foil to begin.",
      });
      return;
    }
    const visible = this.traits.gallery_heatmaps ? (this.requests("watch").at(-1)?.visible ?? []) : [];
    const seed = corpus.length * 3 + foil.length * 7;
    const items = [...new Set([...explicands, ...visible])].map((image, i) => ({
      image,
      shape: [112, 112] as [number, number],
      peak: 0.19 + 0.03 * (i % 4),
      score: 0.31 - 0.17 * (i % 4),
      progress: i % 3 === 1 ? 0.62 : 1,
      preview: i % 5 === 4,
      layer,
      pattern: layer === "attribution" ? blobs(seed + i) : (x: number, y: number) => Math.abs(blobs(seed + i)(x, y)),
    }));
    this.sayHeatmaps(items, version);
    clearTimeout(this.#stability);
    const scores = items.map(({ score }) => score);
    this.#stability = setTimeout(() => this.say(fakeStability(version, this.traits, scores)), 400);
  }
}

function asBase64({ buffer, byteOffset, byteLength }: DataView): string {
  return btoa(String.fromCharCode(...new Uint8Array(buffer, byteOffset, byteLength)));
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
