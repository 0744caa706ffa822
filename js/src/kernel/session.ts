import { signal } from "@preact/signals";
import type { Kernel } from "./kernel";
import type { Catalogue, History, Status } from "./protocol";

const NO_HISTORY: History = { kind: "history", undo: null, redo: null };

/** What the kernel has reported about itself: what it offers, what it is computing, what can be undone. */
export class Session {
  readonly catalogue = signal<Catalogue | null>(null);
  readonly status = signal<Status | null>(null);
  readonly history = signal<History>(NO_HISTORY);
  /** Whether the answer to the first question is late. */
  readonly waiting = signal(false);
  /** Why there is no catalogue. */
  readonly failure = signal<string | null>(null);
  readonly #kernel: Kernel;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** Asks for the catalogue. */
  async open(): Promise<void> {
    try {
      const onLate = () => {
        this.waiting.value = true;
      };
      this.catalogue.value = await this.#kernel.ask({ kind: "hello" }, { onLate });
    } catch (error) {
      this.failure.value = (error as Error).message;
    }
    this.waiting.value = false;
  }

  /** Forgets the status and the history of a kernel that is gone. */
  close(): void {
    this.status.value = null;
    this.history.value = NO_HISTORY;
    this.waiting.value = false;
  }
}
