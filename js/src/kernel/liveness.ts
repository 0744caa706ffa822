import { type ReadonlySignal, signal } from "@preact/signals";
import type { KernelState } from "./kernel";
import type { Model } from "./protocol";

export const NO_KERNEL = "The kernel was restarted or has stopped. Run the cell again.";

const PING_EVERY_MS = 15_000;
/** How long an answer may take before the kernel counts as silent. */
const PATIENCE_MS = 5_000;
/** A page that has heard nothing for so long was asleep, or its connection was dead: pings come more often. */
const ASLEEP_MS = 60_000;
/** The kernel answers every change with a message; when none has come after this time, it is pinged. */
const ANSWER_MS = 3_000;

/** Events that the host's model has besides those of the traits; hosts without them never fire them. */
interface HostEvents {
  on(event: string, listener: (this: unknown) => void): void;
  off(event: string, listener: (this: unknown) => void): void;
}

/** The view on which anywidget calls the listeners of its model proxy: only this way is the host's own model reached. */
type HostView = { model?: { comm_live?: boolean } } | undefined;

const onView = (handle: (view: HostView) => void) =>
  function (this: unknown): void {
    handle(this as HostView);
  };

/** Finds out whether the kernel is there, by the host's events, by sends that fail, and by pings. */
export class Liveness {
  readonly #state = signal<KernelState>("live");
  #ping: () => void = () => undefined;
  #onReturn: () => void = () => undefined;
  #heard = Date.now();
  #every: ReturnType<typeof setInterval> | undefined;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #answer: ReturnType<typeof setTimeout> | undefined;
  readonly #model: Model;

  constructor(model: Model) {
    this.#model = model;
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

  /**
   * Calls `ping` regularly from now on; any message that comes back shows that the kernel is there. After a long silence
   * `onReturn` is called, since messages may have been lost: a dead connection is not always noticed.
   */
  start(ping: () => void, onReturn: () => void): void {
    this.#ping = ping;
    this.#onReturn = onReturn;
    this.#every = setInterval(this.#look, PING_EVERY_MS);
  }

  /** Runs `send` and returns whether it worked; when it throws, the kernel is gone. */
  attempt(send: () => void): boolean {
    if (this.closed) return false;
    try {
      send();
    } catch {
      this.lose();
    }
    return !this.closed;
  }

  /** Notes that a message came. */
  hear(): void {
    this.#stopWaiting();
    this.#state.value = "live";
    const silence = Date.now() - this.#heard;
    this.#heard = Date.now();
    if (silence > ASLEEP_MS) this.#onReturn();
  }

  #stopWaiting(): void {
    clearTimeout(this.#patience);
    clearTimeout(this.#answer);
    this.#patience = this.#answer = undefined;
  }

  /** Pings the kernel soon unless a message comes. */
  expectAnswer(): void {
    this.#answer ??= setTimeout(this.#ask, ANSWER_MS);
  }

  #ask = (): void => {
    if (this.closed) return;
    this.#patience ??= setTimeout(() => {
      if (!this.closed) this.#state.value = "silent";
    }, PATIENCE_MS);
    this.#ping();
  };

  lose = (): void => {
    this.#stopWaiting();
    this.#state.value = "closed";
  };

  #look = (): void => {
    if (document.visibilityState === "visible") this.#ask();
  };

  #follow = onView((view) => {
    if (!view?.model?.comm_live) this.lose();
    else if (this.closed) {
      this.#state.value = "silent"; // until an answer comes
      this.#ask();
    }
  });

  dispose(): void {
    const events = this.#model as unknown as HostEvents;
    events.off("comm_live_update", this.#follow);
    events.off("comm:close", this.lose);
    document.removeEventListener("visibilitychange", this.#look);
    clearInterval(this.#every);
    this.#stopWaiting();
  }
}
