import { batch, type ReadonlySignal, signal } from "@preact/signals";
import type { CellGrid, Place } from "../engine/cells";
import type { Share } from "../engine/compute";
import { HalfDecoder } from "../engine/float16";
import { ATTRIBUTION } from "../engine/layers";
import type { Nothing, Weights } from "../engine/weights";
import type { Heatmaps, Products } from "../kernel/protocol";
import type { Style } from "./brush";
import { HeatmapComputing } from "./computing";
import { type HeatmapInfo, isSharper, type PageQuestion, type Shown, sameQuestion, withoutAbsent } from "./heatmap";
import { ShownHeatmaps } from "./shown-heatmaps";

/**
 * The canvas side in device pixels for which a heatmap is computed whose tile is out of view: no more than its score and its
 * peak are needed, which is part of the scale. At 28 pixels a side hundreds of them take less time than twelve in view.
 */
const UNSEEN_SIDE = 56;

/** What the page asks: the present question, and what a drop would make of it while the user aims at a bin. */
export interface Asked {
  question: PageQuestion;
  supposed: PageQuestion | null;
  /** The place at which the user points, which comes before the rest. */
  place: Place | null;
  /** The user drags, so the scale stays. */
  held: boolean;
}

/**
 * Takes heatmaps from two sources: the page computes them from products, and the kernel sends those that it cannot compute.
 * They are painted straight onto the canvases of the tiles: an update must not wait for a re-render of the page.
 */
export class HeatmapPainter {
  /** Counts repainted updates; trials are none. */
  readonly repaints = signal(0);
  /** The newest version that the kernel has answered. */
  readonly version = signal(-1);
  readonly nothing = signal<string | null>(null);
  /** The members that the kernel has not encoded yet: heatmaps and scores do without them. */
  readonly waiting = signal<readonly string[]>([]);
  /** Whether none of the members that have a weight is encoded yet, so that what is shown answers earlier bins. */
  readonly unanswered = signal(false);

  #asked: Asked | null = null;
  #weights: Weights | Nothing | null = null;
  /** The question that the newest heatmaps of the kernel answer, and why there are none. */
  #answered: PageQuestion | null = null;
  #kernelReason: string | null = null;
  /** The space of products at the last answer of the kernel. */
  #space = -1;
  /** The question of the last update. */
  #painted: PageQuestion | null = null;
  readonly #shown: ShownHeatmaps;
  readonly #computing = new HeatmapComputing();
  readonly #decoder = new HalfDecoder();
  readonly #isWanted: (image: string) => boolean;

  constructor(isWanted: (image: string) => boolean, isShared: () => boolean) {
    this.#isWanted = isWanted;
    this.#shown = new ShownHeatmaps(isShared);
  }

  get scale(): ShownHeatmaps["scale"] {
    return this.#shown.scale;
  }

  info(image: string): ReadonlySignal<HeatmapInfo | null> {
    return this.#shown.info(image);
  }

  // ---- questions, products and heatmaps; each is painted before the call returns ----

  /** Answers a new question, or a supposed one, as far as products allow. */
  ask(asked: Asked): void {
    const renewed = asked.question !== this.#asked?.question;
    this.#asked = asked;
    const painted = this.#update(() => {
      if (renewed) {
        this.#kernelReason = null; // it was about an earlier question
        this.#answer();
      }
      this.#suppose();
    });
    if (painted && renewed) this.#countRepaint();
  }

  take(message: Products, buffers: DataView[]): void {
    const images = this.#computing.take(message, buffers, this.#isShown);
    const painted = this.#update(() => {
      this.#answer(images);
      if (this.#isTrying) this.#suppose();
    });
    if (painted) this.#countRepaint();
  }

  receive(message: Heatmaps, buffers: DataView[]): void {
    if (message.version < this.version.peek()) return;
    this.#update(() => {
      const renewed = message.version > this.version.peek();
      this.version.value = message.version;
      if (renewed) this.#answered = this.#asked?.question ?? null;
      const space = this.#computing.enter(message.space);
      const differs = this.#computing.miss(message);
      if (differs) {
        this.waiting.value = message.waiting;
        this.#answer();
        this.#suppose();
      }
      this.#kernelReason = message.nothing ?? null;
      if (message.nothing !== undefined && !this.#hasComputed) this.#shown.clear();
      this.#store(message, buffers);
      if (renewed || differs || space !== this.#space) this.#renew(space);
    });
    this.#countRepaint();
  }

  /** Runs a change and paints what is shown after it, `still` on the same scale; returns whether anything was painted. */
  #update(change: () => void, still = false): boolean {
    let painted = false;
    batch(() => {
      change();
      this.#drop();
      this.nothing.value = this.#reason();
      this.unanswered.value = this.#asked !== null && this.#weights === null;
      const question = this.#asked?.question ?? null;
      const held = still || (this.#asked !== null && (this.#asked.held || this.#isTrying));
      painted = this.#shown.paint({ held, sharpening: question === this.#painted });
      this.#painted = question;
    });
    return painted;
  }

  #countRepaint(): void {
    // Not `++`, which would subscribe the effect that asked for the repaint to its own outcome.
    this.repaints.value = this.repaints.peek() + 1;
  }

  // ---- computed heatmaps ----

  /** Computes heatmaps for the present question, of all images with products or of some. */
  #answer(images: Iterable<string> = this.#computing.images): void {
    if (!this.#asked) return;
    const { question } = this.#asked;
    this.#weights = this.#computing.weigh(question);
    if (!this.#weights) return; // what is shown stays until a member is encoded
    if ("nothing" in this.#weights) return this.#shown.clear();
    for (const image of images) {
      const shown = this.#compute(image, question, this.#weights, null);
      if (shown && !this.#isOutdone(shown)) this.#shown.keep(shown);
    }
  }

  get #isTrying(): boolean {
    return Boolean(this.#asked?.supposed || this.#asked?.place);
  }

  /** Computes heatmaps for a place or the supposed question; without, those for the present question are shown again. */
  #suppose(): void {
    this.#shown.endTrials();
    if (!this.#asked) return;
    const { question, supposed, place } = this.#asked;
    const weights = supposed && !place ? this.#computing.weigh(supposed) : null;
    for (const image of this.#computing.images) {
      const own = place ? this.#computing.weighPlace(image, question, place) : weights;
      if (!own || "nothing" in own || !this.#shown.canvases.has(image)) continue;
      const shown = this.#compute(image, (!place && supposed) || question, own, place ? "place" : "drop");
      if (shown) this.#shown.tryOut(shown);
    }
  }

  #compute(image: string, question: PageQuestion, weights: Weights, trial: HeatmapInfo["trial"]): Shown | null {
    const side = this.#shown.canvases.side(image) || UNSEEN_SIDE;
    return this.#computing.heatmap(image, { question, weights, side, version: this.version.peek(), trial });
  }

  /** Whether the page has computed a heatmap for the present question, from products that still hold. */
  #isCurrent = ({ question, info, computed }: Shown): boolean =>
    computed && question === this.#asked?.question && this.#weights !== null && this.#computing.has(info.image);

  get #hasComputed(): boolean {
    return [...this.#shown.kept.values()].some(this.#isCurrent);
  }

  /** Whether the kernel has sent a sharper heatmap for the same question. */
  #isOutdone({ info }: Shown): boolean {
    const kept = this.#shown.kept.get(info.image);
    if (!kept || kept.computed || kept.info.stale || this.#answered !== this.#asked?.question) return false;
    return isSharper(kept.info, info);
  }

  /** Why there is nothing to explain: the page's own reason first, as the kernel's may be about earlier bins. */
  #reason(): string | null {
    if (this.#weights && "nothing" in this.#weights) return this.#weights.nothing;
    return this.#hasComputed ? null : this.#kernelReason;
  }

  /** The score of an image and the share of each member in it; null where the page cannot compute them. */
  influence(image: string): { score: number; shares: Share[] } | null {
    const kept = this.#shown.kept.get(image);
    const weights = this.#weights;
    if (!kept || !this.#asked || !this.#isCurrent(kept) || !weights || "nothing" in weights) return null;
    const shares = this.#computing.shares(image, this.#asked.question, weights);
    return shares && { score: kept.info.score, shares };
  }

  // ---- places ----

  /** The scale of the heatmaps for places. */
  get placeScale(): ShownHeatmaps["placeScale"] {
    return this.#shown.placeScale;
  }

  /** The cells with which the page has products of an image; null without any. */
  grid(image: string): CellGrid | null {
    return this.#asked && this.#computing.grid(image, this.#asked.question);
  }

  /** Keeps the products with the cells of one image, and no others. */
  keepCells(image: string | null): void {
    this.#computing.keepCells(image);
  }

  /** Whether the page computes the heatmaps of an image: it has products, and the kernel sends no sharper heatmaps. */
  computes(image: string): boolean {
    const kept = this.#shown.kept.get(image);
    return this.#computing.has(image) && (!kept || kept.question !== null || kept.info.stale);
  }

  // ---- heatmaps of the kernel ----

  #store(message: Heatmaps, buffers: DataView[]): void {
    const question = this.#answered && withoutAbsent(this.#answered, this.#computing.absent);
    message.items.forEach((item, i) => {
      const buffer = buffers[i];
      if (!buffer || !this.#isShown(item.image)) return;
      const layer = item.layer ?? ATTRIBUTION;
      const info = { ...item, layer, version: message.version, stale: false, trial: null };
      const kept = this.#shown.kept.get(item.image);
      const outdoes = layer === kept?.info.layer && isSharper(info, kept.info);
      if (kept && this.#isCurrent(kept) && !outdoes) return;
      const values = this.#decoder.decode(buffer, item.shape[0] * item.shape[1]);
      this.#shown.keep({ info, values, unit: info.peak, question, computed: false });
    });
  }

  /** Gives the newest version to what the page has computed for the present question, and marks the rest as old. */
  #renew(space: number): void {
    const [version, holds] = [this.version.peek(), space === this.#space];
    this.#space = space;
    for (const [image, shown] of this.#shown.kept) {
      if (this.#isCurrent(shown)) this.#shown.amend(image, { version });
      else if (shown.computed || shown.info.version !== version) {
        const stale = !(holds && this.#answersKnown(shown));
        if (stale !== shown.info.stale) this.#shown.amend(image, { stale });
      }
    }
  }

  /** Whether a heatmap of the kernel answers the bins without the members that are waiting, as it did before they came. */
  #answersKnown({ computed, question }: Shown): boolean {
    const absent = this.#computing.absent;
    if (computed || !question || !this.#answered || !absent.waiting.size) return false;
    return sameQuestion(question, withoutAbsent(this.#answered, absent));
  }

  /** Marks what the page has not computed for the present question as old: nothing will renew it. */
  outdate(): void {
    batch(() => {
      for (const [image, shown] of this.#shown.kept) {
        if (!this.#isCurrent(shown) && !shown.info.stale) this.#shown.amend(image, { stale: true });
      }
    });
  }

  // ---- what is shown ----

  #isShown = (image: string): boolean => this.#shown.canvases.has(image) || this.#isWanted(image);

  /** Forgets what is no longer shown; the kernel sends it again when it comes back into view. */
  #drop(): void {
    this.#computing.drop(this.#isShown);
    for (const image of [...this.#shown.kept.keys()]) if (!this.#isShown(image)) this.#shown.forget(image);
  }

  useStyle(style: Style): void {
    this.#shown.canvases.useStyle(style);
    this.repaint();
  }

  /** Paints everything again, after a change of scale or colours. */
  repaint(): void {
    this.#shown.paintAll();
    if (this.#shown.kept.size) this.#countRepaint();
  }

  /** Registers a canvas for an image and paints what is known; returns a function that unregisters it. */
  attach(image: string, canvas: HTMLCanvasElement): () => void {
    const detach = this.#shown.attach(image, canvas);
    const kept = this.#shown.kept.get(image);
    if (kept && this.#asked && this.#isCurrent(kept)) {
      const rows = this.#computing.rows(image, this.#asked.question, this.#shown.canvases.side(image));
      // It was computed out of view, for smaller canvases, or for larger ones that are gone. Its peak was part of the scale.
      if (rows !== undefined && rows !== kept.info.shape[0]) this.#update(() => this.#answer([image]), true);
    }
    return detach;
  }

  limit(image: string): number {
    return this.#shown.limit(image);
  }

  sample(image: string, x: number, y: number): ReturnType<ShownHeatmaps["sample"]> {
    return this.#shown.sample(image, x, y);
  }

  dispose(): void {
    this.#shown.dispose();
  }
}
