import type { Model, Request, Response, Traits } from "../src/kernel/protocol";
import type { AllTraits, End, FakeKernel } from "./fake-kernel";

type Listener = (...args: unknown[]) => void;

/** A fake kernel as anywidget hands it to a view: a model with traits and custom messages. */
export class FakeModel implements End {
  /** Whether the comm is there, as far as the host's manager knows. */
  live = true;
  /** Sending throws, as on the comm of a kernel that is gone. */
  failing = false;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(private readonly kernel: FakeKernel) {
    kernel.ends.add(this);
  }

  get listenerCount(): number {
    return [...this.#listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  get<K extends keyof AllTraits>(name: K): AllTraits[K] {
    return this.kernel.traits[name];
  }

  set<K extends keyof Traits>(name: K, value: Traits[K]): void {
    this.kernel.set({ [name]: value });
  }

  save_changes(): void {
    this.#check();
    this.kernel.save();
  }

  send(message: Request): void {
    this.#check();
    this.kernel.take(message);
  }

  #check(): void {
    if (this.failing) throw new Error("Cannot send");
  }

  on(event: string, listener: Listener): void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set.add(listener));
  }

  off(event: string, listener: Listener): void {
    this.#listeners.get(event)?.delete(listener);
  }

  fire(event: string, ...args: unknown[]): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) {
      listener.call({ model: { comm_live: this.live } }, ...args);
    }
  }

  changed(names: (keyof AllTraits)[]): void {
    // As Backbone: an event for each trait, when all have their values.
    for (const name of names) this.fire(`change:${name}`);
  }

  receive(message: Response, buffers: DataView[]): void {
    this.fire("msg:custom", message, buffers);
  }

  /** As the host's manager does when the kernel is restarted: the model is cut off, and fires its event. */
  cutOff(): void {
    this.live = false;
    this.fire("comm_live_update");
  }
}

/** A model of a fake kernel, with the type that anywidget's models have. */
export function fakeModel(kernel: FakeKernel): FakeModel & Model {
  return new FakeModel(kernel) as unknown as FakeModel & Model;
}
