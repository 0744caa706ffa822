import type { AnyModel } from "@anywidget/types";
import { type ReadonlySignal, signal } from "@preact/signals";
import type { Traits } from "./protocol";

export type Model = AnyModel<Traits>;

/**
 * `closed`: the way to the kernel is gone for sure, and with it the widget's Python half. `silent`: no answer came, which a
 * kernel that runs a long cell looks like too.
 */
export type KernelState = "live" | "silent" | "closed";

export const NO_KERNEL = "The kernel was restarted or has stopped. Run the cell again.";

const PING_EVERY_MS = 15_000;
/** How long an answer may take before the kernel counts as silent. */
const PATIENCE_MS = 5_000;
/** After a change the kernel has something to say; when it says nothing for so long, it is asked. */
const ANSWER_MS = 3_000;

/** Events that the host's model has besides those of the traits; hosts without them never fire them. */
interface HostEvents {
  on(event: string, listener: (this: unknown) => void): void;
  off(event: string, listener: (this: unknown) => void): void;
}

/** Knows whether the kernel is there: by the host's events, by sends that fail, and by pings. */
export class Liveness {
  readonly #state = signal<KernelState>("live");
  #ping: () => void = () => undefined;
  #every: ReturnType<typeof setInterval> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #answer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly model: Model) {
    const events = model as unknown as HostEvents;
    events.on("comm_live_update", this.#follow);
    events.on("comm:close", this.lose);
    document.addEventListener("visibilitychange", this.#look);
  }

  get state(): ReadonlySignal<KernelState> {
    return this.#state;
  }

  get closed(): boolean {
    return this.#state.peek() === "closed";
  }

  /** Begins to ask for signs of life, by `ping`; any message that comes back is one. */
  start(ping: () => void): void {
    this.#ping = ping;
    this.#every = setInterval(this.#look, PING_EVERY_MS);
  }

  /** Sends something. The answer is whether it was sent: what cannot be sent says that the kernel is gone. */
  attempt(send: () => void): boolean {
    if (this.closed) return false;
    try {
      send();
    } catch {
      this.lose();
    }
    return !this.closed;
  }

  /** A message came. */
  hear(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#answer);
    this.#patience = this.#answer = undefined;
    this.#state.value = "live";
  }

  /** The kernel owes an answer. */
  expectAnswer(): void {
    this.#answer ??= setTimeout(this.ask, ANSWER_MS);
  }

  ask = (): void => {
    if (this.closed) return;
    this.#patience ??= setTimeout(() => {
      if (!this.closed) this.#state.value = "silent";
    }, PATIENCE_MS);
    this.#ping();
  };

  lose = (): void => {
    clearTimeout(this.#patience);
    clearTimeout(this.#answer);
    this.#state.value = "closed";
  };

  #look = (): void => {
    if (document.visibilityState === "visible") this.ask();
  };

  /** The listener is called on the view (anywidget's model proxy), and only its model knows which way it went. */
  #follow = this.#follower();

  #follower(): (this: unknown) => void {
    const [lose, ask, wasClosed] = [this.lose, this.ask, () => this.closed];
    const revive = () => {
      this.#state.value = "silent"; // until an answer comes
      ask();
    };
    return function (this: unknown) {
      const live = (this as { model?: { comm_live?: boolean } } | undefined)?.model?.comm_live ?? false;
      if (!live) lose();
      else if (wasClosed()) revive();
    };
  }

  dispose(): void {
    const events = this.model as unknown as HostEvents;
    events.off("comm_live_update", this.#follow);
    events.off("comm:close", this.lose);
    document.removeEventListener("visibilitychange", this.#look);
    clearInterval(this.#every);
    clearTimeout(this.#patience);
    clearTimeout(this.#answer);
  }
}
