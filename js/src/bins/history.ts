import type { Edit, Edits, Steps } from "../kernel/protocol";
import { BINS, type Bin, type Bins, equal, sameBins } from "./bins";
import { isText, nameOf } from "./texts";

/** Undo and redo of the bins' changes as pure functions; `cocoa_widget/sessions/history.py` has the same. */

/** The bins, and the steps that can be taken back and made again, the next one last in each list. */
export interface BinsState {
  readonly bins: Bins;
  readonly steps: Steps;
}

/** Records a change as a step, and drops what was undone before it; the same state if nothing changes. */
export function record(state: BinsState, bins: Bins, id: string): BinsState {
  if (sameBins(state.bins, bins)) return state;
  const step = { id, label: describe(state.bins, bins), edits: editsOf(state.bins, bins) };
  return { bins, steps: { undo: [...state.steps.undo, step], redo: [] } };
}

/**
 * Goes by one step back or forth, if it is the next one. A step without edits moves to the other list and leaves the bins
 * as they are, until the kernel has answered; so the steps behind it cannot be applied before either.
 */
export function step(state: BinsState, kind: "undo" | "redo", id: string): BinsState {
  const [from, to] = kind === "undo" ? [state.steps.undo, state.steps.redo] : [state.steps.redo, state.steps.undo];
  const next = from.at(-1);
  if (next?.id !== id) return state;
  const rest = from.slice(0, -1).map((each) => (next.edits ? each : { ...each, edits: null }));
  const other = [...to, next];
  const bins = next.edits ? edited(state.bins, next.edits, kind) : state.bins;
  return { bins, steps: kind === "undo" ? { undo: rest, redo: other } : { undo: other, redo: rest } };
}

function edited(bins: Bins, edits: Edits, kind: "undo" | "redo"): Bins {
  const after: Record<Bin, readonly string[]> = { ...bins };
  for (const bin of BINS) {
    const edit = edits[bin];
    if (edit) after[bin] = kind === "redo" ? apply(after[bin], edit) : apply(after[bin], inverse(edit));
  }
  return after;
}

const inverse = ({ removed, added }: Edit): Edit => ({ removed: added, added: removed });

function apply(members: readonly string[], { removed, added }: Edit): string[] {
  const gone = new Set(removed.map(([position]) => position));
  const rest = members.filter((_, position) => !gone.has(position));
  const fresh = new Map(added);
  let used = 0;
  return Array.from({ length: rest.length + added.length }, (_, i) => fresh.get(i) ?? (rest[used++] as string));
}

function editsOf(before: Bins, after: Bins): Edits {
  const edits: Edits = {};
  for (const bin of BINS) if (!equal(before[bin], after[bin])) edits[bin] = editOf(before[bin], after[bin]);
  return edits;
}

function editOf(before: readonly string[], after: readonly string[]): Edit {
  const [old, now] = [new Set(before), new Set(after)];
  const kept = (ids: readonly string[], others: ReadonlySet<string>) => ids.filter((id) => others.has(id));
  if (!equal(kept(before, now), kept(after, old))) return { removed: placed(before), added: placed(after) };
  return { removed: placed(before, now), added: placed(after, old) };
}

function placed(ids: readonly string[], without?: ReadonlySet<string>): [number, string][] {
  return ids.flatMap((id, i): [number, string][] => (without?.has(id) ? [] : [[i, id]]));
}

/** How bins have changed, in words. */
export function describe(before: Bins, after: Bins): string {
  const swapped = equal(after.corpus, before.foil) && equal(after.foil, before.corpus);
  if (before.corpus.length && before.foil.length && swapped) return "Swap corpus and foil";
  const parts: string[] = [];
  for (const bin of BINS) {
    const [old, now] = [new Set(before[bin]), new Set(after[bin])];
    const [added, removed] = [after[bin].filter((id) => !old.has(id)), before[bin].filter((id) => !now.has(id))];
    if (added.length) parts.push(`add ${counted(added)} to ${bin}`);
    else if (old.size && !now.size) parts.push(`clear ${bin}`);
    else if (removed.length) parts.push(`remove ${counted(removed)} from ${bin}`);
  }
  // An addition to one bin implies the removal from the other.
  const adding = parts.filter((part) => part.startsWith("add"));
  const words = (adding.length ? adding : parts).join(", ") || "reorder";
  return words.charAt(0).toUpperCase() + words.slice(1);
}

function counted(ids: readonly string[]): string {
  const [only] = ids;
  if (ids.length === 1 && only !== undefined) return nameOf(only);
  const texts = ids.filter(isText).length;
  return `${ids.length} ${texts === ids.length ? "texts" : texts ? "images and texts" : "images"}`;
}
