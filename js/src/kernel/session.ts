import { signal } from "@preact/signals";
import type { Kernel } from "./kernel";
import type { Catalogue, Status } from "./protocol";

/** What the kernel has reported about itself: what it offers, and what it is computing. */
export class Session {
  readonly catalogue = signal<Catalogue | null>(null);
  readonly status = signal<Status | null>(null);
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

  /** Forgets the status of a kernel that is gone. */
  close(): void {
    this.status.value = null;
    this.waiting.value = false;
  }
}
