import { signal } from "@preact/signals";
import type { Kernel } from "../kernel/kernel";
import { count } from "../ui/format";

/** The gallery as it was ranked by a prompt. */
export interface Ranking {
  text: string;
  images: readonly string[];
  scores: ReadonlyMap<string, number>;
  /** The number of images that were encoded when it was computed, and of all images. */
  compared: number;
  total: number;
}

/** Ranks the gallery by similarity to a prompt. The latest prompt wins; what it replaced is cancelled. */
export class TextSearch {
  /** Whether the field above the gallery takes a prompt; else it filters by name. */
  readonly on = signal(false);
  readonly ranking = signal<Ranking | null>(null);
  readonly busy = signal(false);
  readonly error = signal<string | null>(null);
  #abort: AbortController | null = null;
  #wanted = "";
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Turns to filtering and back. */
  toggle(): void {
    this.clear();
    this.on.value = !this.on.peek();
  }

  /** Back to the gallery in its own order. */
  clear(): void {
    this.#abort?.abort();
    this.#abort = null;
    this.#wanted = "";
    this.ranking.value = null;
    this.error.value = null;
    this.busy.value = false;
  }

  again(): void {
    if (this.#wanted) this.rank(this.#wanted);
  }

  async rank(prompt: string): Promise<void> {
    const text = prompt.trim();
    if (!text) return this.clear();
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.#wanted = text;
    this.busy.value = true;
    this.error.value = null;
    try {
      const reply = await this.#kernel.ask({ kind: "search", text }, { signal: abort.signal });
      if (abort.signal.aborted) return;
      const scores = new Map(reply.images.map((id, i) => [id, reply.scores[i] ?? 0]));
      const { images, compared = images.length, total } = reply;
      this.ranking.value = { text, images, scores, compared, total };
    } catch (error) {
      if (!abort.signal.aborted) this.error.value = (error as Error).message;
    } finally {
      if (this.#abort === abort) this.busy.value = false;
    }
  }

  dispose(): void {
    this.#abort?.abort();
  }
}

/** How much of the gallery is ranked, in words. */
export function rankedWords({ images, compared, total }: Ranking): string {
  const all = compared < total ? `${count(compared)} of ${count(total)} encoded so far` : `all ${count(total)}`;
  return images.length < compared ? `the first ${count(images.length)}, of ${all}` : all;
}
