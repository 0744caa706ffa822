import { describe, expect, test } from "vitest";
import { BINS, type Bins, sameBins } from "../../src/bins/bins";
import { type BinsState, record } from "../../src/bins/history";
import { apply } from "../../src/bins/operations";
import type { Operation } from "../../src/kernel/protocol";
import { type Numbered, ShownBins } from "../../src/kernel/shown-bins";

const EMPTY: BinsState = { bins: { corpus: [], foil: [], explicands: [] }, steps: { undo: [], redo: [] } };
const move = (id: string, to: "corpus" | "foil" | "explicands"): Operation => ({
  kind: "move",
  ids: [id],
  origin: "gallery",
  to,
});
const shownBy = ({ bins }: ShownBins): Bins => ({
  corpus: bins.corpus.peek(),
  foil: bins.foil.peek(),
  explicands: bins.explicands.peek(),
});
const labels = (shown: ShownBins) => shown.steps.peek().undo.map(({ label }) => label);

describe("the bins of the kernel, followed by what it has not acknowledged", () => {
  test("an operation is shown at once, and once", () => {
    const shown = new ShownBins("a", EMPTY);
    expect(shown.operate(move("x", "corpus"))).toEqual({ number: 1, operation: move("x", "corpus") });
    expect(shown.operate(move("x", "corpus"))).toBeNull();
    expect([shownBy(shown).corpus, labels(shown)]).toEqual([["x"], ["Add x to corpus"]]);
    shown.confirm(apply(EMPTY, move("x", "corpus"), "a-1"), 1);
    expect([shownBy(shown).corpus, labels(shown), shown.pending]).toEqual([["x"], ["Add x to corpus"], []]);
  });

  test("what others do comes first", () => {
    const shown = new ShownBins("a", EMPTY);
    shown.operate(move("x", "corpus"));
    shown.operate(move("y", "corpus"));
    shown.confirm(record(EMPTY, { corpus: ["z"], foil: ["x"], explicands: [] }, "code-1"), 0);
    expect(shownBy(shown)).toEqual({ corpus: ["z", "x", "y"], foil: [], explicands: [] });
    expect(labels(shown)).toEqual(["Add z to corpus, add x to foil", "Add x to corpus", "Add y to corpus"]);
  });

  test("an undo that waits takes back its own step, and nothing in its place", () => {
    const shown = new ShownBins("a", EMPTY);
    shown.operate(move("x", "corpus"));
    shown.operate({ kind: "undo", step: "a-1" });
    expect(shownBy(shown).corpus).toEqual([]);
    const both = record(apply(EMPTY, move("x", "corpus"), "a-1"), { ...EMPTY.bins, corpus: ["x", "z"] }, "code-1");
    shown.confirm(both, 1);
    expect(shownBy(shown).corpus).toEqual(["x", "z"]);
  });

  test("bins that do not change keep their arrays", () => {
    const shown = new ShownBins("a", EMPTY);
    shown.operate(move("x", "corpus"));
    const before = shownBy(shown);
    shown.confirm({ bins: { corpus: ["x"], foil: [], explicands: [] }, steps: EMPTY.steps }, 1);
    for (const bin of BINS) expect(shownBy(shown)[bin]).toBe(before[bin]);
  });

  test("an operation on 10,000 members is fast", () => {
    const many = Array.from({ length: 10_000 }, (_, i) => `image-${i}`);
    const confirmed = { ...EMPTY, bins: { ...EMPTY.bins, corpus: many } };
    const shown = new ShownBins("a", confirmed);
    const begun = performance.now();
    shown.operate({ kind: "move", ids: many, origin: "corpus", to: "foil" });
    shown.operate({ kind: "undo", step: "a-1" });
    shown.confirm(confirmed, 0);
    expect(performance.now() - begun).toBeLessThan(1_000); // 30 ms; a bound against looking for each one in a list
    expect(shownBy(shown).corpus).toEqual(many);
  });
});

/** The same numbers in 0..1 for the same seed (mulberry32). */
function randomly(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Update {
  state: BinsState;
  applied: Readonly<Record<string, number>>;
}

/** What goes from one view to the kernel and back: in order, but messages may come twice or be lost. */
interface Link {
  shown: ShownBins;
  /** The last state that the view has heard of. */
  heard: BinsState;
  up: (Numbered | "bins")[];
  down: Update[];
}

/** A kernel with two views, and a source of chance that decides what happens next. */
class Simulation {
  state = EMPTY;
  applied: Record<string, number> = {};
  /** Every operation that the kernel has applied, as view and number. */
  readonly done: string[] = [];
  readonly views: Record<string, Link> = { a: this.#link("a"), b: this.#link("b") };
  #code = 0;

  constructor(readonly chance: () => number) {}

  #link(view: string): Link {
    return { shown: new ShownBins(view, EMPTY), heard: EMPTY, up: [], down: [] };
  }

  pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.chance() * choices.length)] as T;
  }

  #some(): string[] {
    return ["u", "v", "w", "x", "y", "text:z"].filter(() => this.chance() < 0.4);
  }

  #bins(): Bins {
    const corpus = this.#some();
    return { corpus, foil: this.#some().filter((id) => !corpus.includes(id)), explicands: this.#some().slice(0, 2) };
  }

  operation({ steps }: ShownBins): Operation | null {
    const kind = this.pick(["move", "move", "move", "clear", "swap", "set", "undo", "undo", "redo"] as const);
    const places = ["corpus", "foil", "explicands", "gallery"] as const;
    if (kind === "move") return { kind, ids: this.#some(), origin: this.pick(places), to: this.pick(places) };
    if (kind === "clear") return { kind, bin: this.pick(BINS) };
    if (kind === "swap") return { kind };
    if (kind === "set") return { kind, ...(this.#bins() as Record<"corpus" | "foil" | "explicands", string[]>) };
    const step = steps.peek()[kind].at(-1)?.id;
    return step === undefined ? null : { kind, step };
  }

  /** The kernel reads the next message of a view; as `BinnedWidget.operate` does. */
  read(view: string): void {
    const message = this.views[view]?.up.shift();
    if (message === undefined) return;
    if (message !== "bins" && message.number === (this.applied[view] ?? 0) + 1) {
      const id = `${view}-${message.number}`;
      this.state = apply(this.state, message.operation, id);
      this.applied = { ...this.applied, [view]: message.number };
      this.done.push(id);
    }
    this.#send();
  }

  change(): void {
    this.state = record(this.state, this.#bins(), `code-${++this.#code}`);
    this.#send();
  }

  /** Sends the history as the kernel does: the edits of all but the newest steps are left out. */
  #send(): void {
    const known = ({ undo, redo }: BinsState["steps"]) => {
      const cut = (steps: typeof undo) =>
        steps.slice(-3).map((s, i, all) => (i < all.length - 2 ? { ...s, edits: null } : s));
      return { undo: cut(undo), redo: cut(redo) };
    };
    const state = { bins: this.state.bins, steps: known(this.state.steps) };
    for (const { down } of Object.values(this.views)) down.push({ state, applied: this.applied });
  }

  hear(view: string): void {
    const link = this.views[view] as Link;
    const update = link.down.shift();
    if (!update) return;
    link.heard = update.state;
    link.shown.confirm(update.state, update.applied[view] ?? 0);
  }

  /** A connection that comes back: the view asks for the bins, and sends again what is not acknowledged. */
  reconnect(view: string): void {
    const link = this.views[view] as Link;
    link.up.push("bins", ...link.shown.pending);
  }

  act(): void {
    const view = this.pick(["a", "b"]);
    const link = this.views[view] as Link;
    const what = this.chance();
    if (what < 0.35) {
      const operation = this.operation(link.shown);
      const numbered = operation && link.shown.operate(operation);
      if (numbered) link.up.push(numbered);
    } else if (what < 0.55) this.read(view);
    else if (what < 0.8) this.hear(view);
    else if (what < 0.88) this.change();
    else if (what < 0.91) link.up.splice(Math.floor(this.chance() * link.up.length), 1);
    else if (what < 0.94) link.down.splice(Math.floor(this.chance() * link.down.length), 1);
    else if (what < 0.97) link.up.push(...link.up.slice(0, 1));
    else this.reconnect(view);
  }

  /** The rule: the kernel's bins, followed by the operations that it has not acknowledged. */
  check(view: string, { shown, heard }: Link, seed: number): void {
    const follow = (state: BinsState, { number, operation }: Numbered) => apply(state, operation, `${view}-${number}`);
    const { bins } = shown.pending.reduce(follow, heard);
    if (!sameBins(shownBy(shown), bins)) throw new Error(`Not what the rule says, seed ${seed}`);
    if (bins.corpus.some((id) => bins.foil.includes(id))) throw new Error(`An image is in both bins, seed ${seed}`);
  }

  /** All messages arrive, in whichever order, and no more are lost. */
  settle(): void {
    for (const view of ["a", "b"]) this.reconnect(view);
    while (Object.values(this.views).some(({ up, down }) => up.length || down.length)) {
      const view = this.pick(["a", "b"]);
      if (this.chance() < 0.5) this.read(view);
      else this.hear(view);
    }
  }
}

test("after any interleaving all views show the kernel's bins, and every operation was applied once", () => {
  let operations = 0;
  for (let seed = 0; seed < 5_000; seed++) {
    const simulation = new Simulation(randomly(seed));
    const { views } = simulation;
    for (let i = 0; i < 40; i++) {
      simulation.act();
      for (const [view, link] of Object.entries(views)) simulation.check(view, link, seed);
    }
    const sent = Object.entries(views).map(([view, { shown, up }]) => {
      const known = up.filter((message) => message !== "bins").map(({ number }) => number);
      return [view, Math.max(simulation.applied[view] ?? 0, ...known, ...shown.pending.map(({ number }) => number))];
    }) as [string, number][];
    simulation.settle();
    const all = sent.flatMap(([view, count]) => Array.from({ length: count }, (_, i) => `${view}-${i + 1}`));
    if ([...simulation.done].sort().join() !== all.sort().join()) throw new Error(`Lost or repeated, seed ${seed}`);
    operations += all.length;
    for (const [view, { shown }] of Object.entries(views)) {
      const numbers = simulation.done.filter((id) => id.startsWith(view)).map((id) => Number(id.slice(2)));
      if (numbers.some((number, i) => number !== i + 1)) throw new Error(`Not in order, seed ${seed}`);
      if (!sameBins(shownBy(shown), simulation.state.bins))
        throw new Error(`A view differs from the kernel, seed ${seed}`);
      expect(shown.pending).toEqual([]);
    }
  }
  expect(operations).toBeGreaterThan(30_000);
}, 120_000); // a busy machine takes many times longer
