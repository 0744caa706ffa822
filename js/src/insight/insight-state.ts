import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Region } from "../bins/bins";
import type { ExplicandsState } from "../explicands/explicands-state";
import { scoreLimit } from "../explicands/score";
import type { Kernel } from "../kernel/kernel";
import type { Curves, Influence } from "../kernel/protocol";
import { StabilityState } from "./stability";

/** The state of a question about one explicand. */
export interface Answer<T> {
  image: string;
  reply: T | null;
  /** The version of the heatmaps when `reply` was asked for. */
  version: number;
  asking: boolean;
  /** The progress of the kernel: steps done, of all. */
  done: number;
  total: number;
  error: string | null;
}

interface Replies {
  influence: Influence;
  curves: Curves;
}

const KEPT = 32;
/** While the bins change drop by drop, nothing is asked; only when they have rested. */
const REST_MS = 150;

const unasked = <T>(image: string): Answer<T> => ({
  image,
  reply: null,
  version: -1,
  asking: false,
  done: 0,
  total: 0,
  error: null,
});

/** One kind of question about one image at a time: the latest wins, and what it replaced is cancelled. */
export class Question<K extends keyof Replies> {
  readonly answer = signal<Answer<Replies[K]>>(unasked(""));
  #kept = new Map<string, Answer<Replies[K]>>(); // least recently answered first
  #abort: AbortController | null = null;
  readonly #kind: K;
  readonly #kernel: Kernel;
  readonly #newest: ReadonlySignal<number>;

  constructor(kind: K, kernel: Kernel, newest: ReadonlySignal<number>) {
    this.#kind = kind;
    this.#kernel = kernel;
    this.#newest = newest;
  }

  /** What is known about an image; nothing while the question is about another one. */
  about(image: string): Answer<Replies[K]> {
    const answer = this.answer.value;
    return answer.image === image ? answer : unasked(image);
  }

  /** Changes to an image, with the last answer about it. */
  show(image: string): void {
    this.cancel();
    this.answer.value = this.#kept.get(image) ?? unasked(image);
  }

  async ask(image: string): Promise<void> {
    if (this.answer.peek().image !== image) this.show(image);
    this.cancel();
    const abort = new AbortController();
    this.#abort = abort;
    const version = this.#newest.peek();
    this.#note({ asking: true, error: null, done: 0, total: 0 });
    try {
      const reply = await this.#kernel.ask(
        { kind: this.#kind, image },
        {
          signal: abort.signal,
          onPart: (part) => part.kind === "curves" && this.#note({ done: part.done, total: part.total }),
        },
      );
      if (abort.signal.aborted) return;
      this.#note({ reply: reply as Replies[K], version, asking: false });
      this.#keep(image);
    } catch (error) {
      if (!abort.signal.aborted) this.#note({ asking: false, error: (error as Error).message });
    }
  }

  cancel(): void {
    this.#abort?.abort();
    this.#abort = null;
    if (this.answer.peek().asking) this.#note({ asking: false });
  }

  /** Whether the reply is about an earlier question than the heatmaps on the page. */
  isStale({ reply, version }: Answer<Replies[K]>): boolean {
    return reply !== null && version !== this.#newest.value;
  }

  #note(news: Partial<Answer<Replies[K]>>): void {
    this.answer.value = { ...this.answer.peek(), ...news };
  }

  #keep(image: string): void {
    this.#kept.delete(image);
    this.#kept.set(image, this.answer.peek());
    const [oldest] = this.#kept.keys();
    if (this.#kept.size > KEPT && oldest !== undefined) this.#kept.delete(oldest);
  }
}

/** The enlarged image, and what the page shows of an explicand besides its heatmap. */
export class InsightState {
  /** The enlarged image, and the region that it was opened from. */
  readonly enlarged = signal<{ image: string; from: Region } | null>(null);
  /** The device pixels at which the enlarged heatmap is painted. */
  readonly heatmapPixels = signal(0);
  readonly stability: StabilityState;
  /** The end of the scale on which the scores of all explicands are drawn and written. */
  readonly scoreLimit: ReadonlySignal<number>;
  /** Whether the panel beside the enlarged image is open; kept as long as the view lives. */
  readonly open = signal(true);
  /** Which measure's curves are shown. */
  readonly measure = signal("");
  readonly influence: Question<"influence">;
  readonly curves: Question<"curves">;
  readonly #heatmaps: ExplicandsState["heatmaps"];
  readonly #waiting: ExplicandsState["waiting"];

  constructor(kernel: Kernel, { heatmaps, answered, waiting, largestScore }: ExplicandsState) {
    this.#heatmaps = heatmaps;
    this.#waiting = waiting;
    this.stability = new StabilityState(answered);
    this.scoreLimit = computed(() => scoreLimit(Math.max(largestScore.value, this.stability.largest.value)));
    this.influence = new Question("influence", kernel, answered);
    this.curves = new Question("curves", kernel, answered);
  }

  /**
   * Asks for the contribution of each bin member, at once and again after every newer heatmap of the image, when all
   * members are encoded. Returns a function that stops it.
   */
  follow(image: string): () => void {
    const { influence, curves } = this;
    const [heatmaps, waiting] = [this.#heatmaps, this.#waiting];
    influence.show(image);
    curves.show(image);
    const version = computed(() => heatmaps.info(image).value?.version ?? -1);
    let timer: ReturnType<typeof setTimeout> | undefined;
    let first = true;
    const ask = () => {
      if (heatmaps.nothing.peek() === null && !waiting.peek().length) influence.ask(image);
    };
    const stop = effect(() => {
      version.value;
      waiting.value;
      clearTimeout(timer);
      if (!first) timer = setTimeout(ask, REST_MS);
      first = false;
    });
    const known = influence.answer.peek();
    if (known.reply === null || influence.isStale(known)) ask();
    return () => {
      stop();
      clearTimeout(timer);
      influence.cancel();
      curves.cancel();
    };
  }

  dispose(): void {
    this.influence.cancel();
    this.curves.cancel();
  }
}
