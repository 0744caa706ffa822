import { signal } from "@preact/signals";
import type { Connection } from "./connection";
import type { Catalogue, History, Status } from "./protocol";

const HELLO_AGAIN_MS = 3_000;
const NO_HISTORY: History = { kind: "history", undo: null, redo: null };

/** What the kernel has reported about itself: what it offers, what it is computing, what can be undone. */
export class Session {
  readonly catalogue = signal<Catalogue | null>(null);
  readonly status = signal<Status | null>(null);
  readonly history = signal<History>(NO_HISTORY);
  /** Whether the first message has waited for long. */
  readonly waiting = signal(false);
  /** Why there is no catalogue. */
  readonly failure = signal<string | null>(null);

  constructor(private readonly connection: Connection) {}

  /** Asks for the catalogue. */
  async open(): Promise<void> {
    try {
      const reply = await this.connection.request(
        { kind: "hello" },
        {
          resend: HELLO_AGAIN_MS,
          onResend: () => {
            this.waiting.value = true;
          },
        },
      );
      if (reply.kind === "catalogue") this.catalogue.value = reply;
    } catch (error) {
      this.failure.value = (error as Error).message;
    }
    this.waiting.value = false;
  }

  /** Forgets what no longer holds once the kernel is gone. */
  close(): void {
    this.status.value = null;
    this.history.value = NO_HISTORY;
    this.waiting.value = false;
  }
}
