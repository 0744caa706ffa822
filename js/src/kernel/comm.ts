import { effect, type ReadonlySignal, untracked } from "@preact/signals";
import { Connection } from "./connection";
import type {
  Answers,
  AskOptions,
  Kernel,
  KernelState,
  Notice,
  Question,
  Report,
  SettingSignals,
  Settings,
} from "./kernel";
import { Liveness, NO_KERNEL } from "./liveness";
import type { Model, Operation, Pong, Steps } from "./protocol";
import type { Numbered } from "./shown-bins";
import { TraitMirror } from "./traits";

/** After this time a question is sent again: a socket that reconnects loses messages. The kernel ignores repetitions. */
const RESEND_MS: { [K in Question["kind"]]?: number } = { hello: 3_000, thumbnails: 10_000 };

/** A Jupyter kernel behind anywidget's model: its traits are the settings, its custom messages questions and answers. */
export class Comm implements Kernel {
  readonly state: ReadonlySignal<KernelState>;
  readonly settings: SettingSignals;
  readonly steps: ReadonlySignal<Steps>;
  readonly #liveness: Liveness;
  readonly #connection: Connection;
  readonly #traits: TraitMirror;
  readonly #leaving = new AbortController();
  readonly #stop: () => void;
  #onReport: (report: Report, buffers: DataView[]) => void = () => undefined;
  #watched: (Notice & { kind: "watch" }) | null = null;

  constructor(model: Model) {
    this.#liveness = new Liveness(model);
    this.state = this.#liveness.state;
    this.#connection = new Connection(model, (report, buffers) => this.#onReport(report, buffers), this.#liveness);
    this.#traits = new TraitMirror(model, this.#connection.view, {
      save: () => this.#connection.save(),
      heard: () => this.#liveness.hear(),
    });
    this.settings = this.#traits.signals;
    this.steps = this.#traits.steps;
    let before: KernelState = "live";
    this.#stop = effect(() => {
      const now = this.state.value;
      if (now === "closed") untracked(() => this.#connection.fail(NO_KERNEL));
      else if (now === "live" && before !== "live") untracked(() => this.#reconcile());
      before = now;
    });
    window.addEventListener("pagehide", () => this.#connection.notify({ kind: "leave" }), this.#leaving);
    // A page that was left may come back from the browser's cache.
    window.addEventListener("pageshow", (event) => event.persisted && this.#return(), this.#leaving);
    this.#liveness.start(
      () => this.#ping(),
      () => this.#reconcile(),
    );
  }

  operate(operation: Operation): boolean {
    const numbered = this.#traits.operate(operation);
    if (numbered) this.#send(numbered);
    return numbered !== null;
  }

  #send({ number, operation }: Numbered): void {
    this.#connection.notify({ kind: "operation", number, operation });
    this.#liveness.expectAnswer();
  }

  /** Sends again what may have been lost. The kernel ignores an operation that it has applied. */
  #sendPending(): void {
    for (const numbered of this.#traits.pending) this.#send(numbered);
  }

  /** Makes up for messages that were lost in either direction. */
  #reconcile(): void {
    this.#connection.notify({ kind: "bins" });
    this.#sendPending();
  }

  change(settings: Partial<Settings>): void {
    this.#traits.set(settings);
  }

  changeSoon(settings: Partial<Settings>): void {
    this.#traits.setSoon(settings);
  }

  ask<Q extends Question>(question: Q, options?: AskOptions<Answers[Q["kind"]]>): Promise<Answers[Q["kind"]]> {
    return this.#connection.request(question, { ...options, resend: RESEND_MS[question.kind] });
  }

  tell(notice: Notice): void {
    if (notice.kind === "watch") this.#watched = notice;
    this.#connection.notify(notice);
  }

  listen(onReport: (report: Report, buffers: DataView[]) => void): void {
    this.#onReport = onReport;
  }

  async #ping(): Promise<void> {
    try {
      const { known } = await this.#connection.request<Pong>({ kind: "ping" });
      if (!known) this.#return();
      else this.#sendPending();
    } catch {
      // The page shows by then that the kernel is gone.
    }
  }

  /** Begins anew with a kernel that has forgotten the view. */
  #return(): void {
    if (this.#watched) this.#connection.notify({ ...this.#watched, renew: true });
    this.#reconcile();
  }

  close(): void {
    this.#leaving.abort();
    this.#stop();
    this.#traits.dispose();
    this.#connection.close();
    this.#liveness.dispose();
  }
}
