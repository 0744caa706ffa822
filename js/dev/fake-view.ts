import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { BINS } from "../src/bins/bins";
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
} from "../src/kernel/kernel";
import type { Operation, RequestBody, Response, Steps } from "../src/kernel/protocol";
import { ShownBins } from "../src/kernel/shown-bins";
import type { AllTraits, End, FakeKernel } from "./fake-kernel";

interface Pending {
  receive(message: Response, buffers: DataView[]): void;
  reject(error: Error): void;
}

let views = 0;

/** One page's view of a fake kernel. */
export class FakeView implements Kernel, End {
  readonly state = signal<KernelState>("live");
  readonly settings: SettingSignals;
  readonly steps: ReadonlySignal<Steps>;
  readonly #shown: ShownBins;
  readonly #name = `fake-view-${++views}`;
  readonly #pending = new Map<string, Pending>();
  #onReport: (report: Report, buffers: DataView[]) => void = () => undefined;
  #count = 0;

  constructor(private readonly kernel: FakeKernel) {
    const entries = Object.entries(kernel.traits).map(([name, value]) => [name, signal(value)]);
    this.#shown = new ShownBins(this.#name, { bins: kernel.traits, steps: kernel.traits._steps });
    this.settings = { ...Object.fromEntries(entries), ...this.#shown.bins };
    this.steps = this.#shown.steps;
    kernel.ends.add(this);
  }

  operate(operation: Operation): boolean {
    const numbered = this.#shown.operate(operation);
    if (numbered && this.state.peek() !== "closed") this.#send({ kind: "operation", ...numbered });
    return numbered !== null;
  }

  change(settings: Partial<Settings>): void {
    this.kernel.set(settings);
    if (this.state.peek() !== "closed") this.kernel.save();
  }

  changeSoon(settings: Partial<Settings>): void {
    this.change(settings);
  }

  ask<Q extends Question>(
    question: Q,
    { signal, onPart }: AskOptions<Answers[Q["kind"]]> = {},
  ): Promise<Answers[Q["kind"]]> {
    return new Promise((resolve, reject) => {
      if (this.state.peek() === "closed") return reject(new Error("There is no kernel. Run the cell again."));
      const id = this.#send(question);
      this.#pending.set(id, {
        receive: (message, buffers) => {
          const part = message as Answers[Q["kind"]];
          onPart?.(part, buffers);
          if ("last" in part ? !part.last : "curves" in part && !part.curves.length) return;
          this.#pending.delete(id);
          resolve(part);
        },
        reject: (error) => {
          this.#pending.delete(id);
          reject(error);
        },
      });
      signal?.addEventListener("abort", () => {
        if (this.#pending.has(id)) this.#send({ kind: "cancel", cancels: id });
        this.#pending.get(id)?.reject(signal.reason);
      });
    });
  }

  tell(notice: Notice): void {
    if (this.state.peek() !== "closed") this.#send(notice);
  }

  listen(onReport: (report: Report, buffers: DataView[]) => void): void {
    this.#onReport = onReport;
  }

  close(): void {
    this.kernel.ends.delete(this);
    this.#rejectAll("The view was closed.");
    this.#send({ kind: "leave" });
  }

  #send(body: RequestBody): string {
    const id = `${this.#name}-${++this.#count}`;
    this.kernel.take({ ...body, id, view: this.#name });
    return id;
  }

  #rejectAll(reason: string): void {
    for (const pending of [...this.#pending.values()]) pending.reject(new Error(reason));
  }

  changed(names: (keyof AllTraits)[]): void {
    const { traits } = this.kernel;
    batch(() => {
      for (const name of names) {
        if (name !== "_applied" && name !== "_steps" && !(BINS as readonly string[]).includes(name))
          (this.settings[name] as Signal<unknown>).value = traits[name];
      }
      const bins = { corpus: traits.corpus, foil: traits.foil, explicands: traits.explicands };
      this.#shown.confirm({ bins, steps: traits._steps }, traits._applied[this.#name] ?? 0);
    });
  }

  receive(message: Response, buffers: DataView[]): void {
    const pending = this.#pending.get(("id" in message && message.id) || "");
    if (message.kind === "error" && pending) pending.reject(new Error(message.message));
    else if (pending) pending.receive(message, buffers);
    else if (!("id" in message)) this.#onReport(message, buffers);
    else if (message.kind === "error" && message.id?.startsWith(`${this.#name}-`)) this.#onReport(message, buffers);
  }

  cutOff(): void {
    this.state.value = "closed";
    this.#rejectAll("The kernel has stopped. Run the cell again.");
  }
}
