import { BINS, type Bins } from "./bins";

/** The bins of a widget, kept beyond the model that they were in. */
export interface KeptBins extends Bins {
  /** The id of that model. */
  model: string;
}

interface Entry extends KeptBins {
  at: number;
}

const PREFIX = "cocoa-widget:bins:";
const MOST_WIDGETS = 20;
/** Characters; browsers give a site some five million for everything. */
const LONGEST = 400_000;

const isIds = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((id) => typeof id === "string");

function parsed(text: string | null): Entry | null {
  try {
    const entry = JSON.parse(text ?? "null") as Entry | null;
    return entry && BINS.every((bin) => isIds(entry[bin])) ? entry : null;
  } catch {
    return null;
  }
}

/** Runs `use` on the browser's storage for this tab; null where there is none (frames in a sandbox) or it is full. */
function withStorage<T>(use: (storage: Storage) => T): T | null {
  try {
    return use(window.sessionStorage);
  } catch {
    return null;
  }
}

export function loadBins(name: string): KeptBins | null {
  return withStorage((storage) => parsed(storage.getItem(PREFIX + name)));
}

/** Keeps the bins under a name. What is too long is not kept, and neither is what it would have replaced. */
export function keepBins(name: string, kept: KeptBins): void {
  withStorage((storage) => {
    const text = JSON.stringify({ ...kept, at: Date.now() } satisfies Entry);
    storage.removeItem(PREFIX + name);
    if (text.length > LONGEST) return;
    makeRoom(storage);
    storage.setItem(PREFIX + name, text);
  });
}

export function forgetBins(name: string): void {
  withStorage((storage) => storage.removeItem(PREFIX + name));
}

/** Drops those that were changed longest ago. Entries are parsed only when there are too many: this runs at every change. */
function makeRoom(storage: Storage): void {
  const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? "").filter((k) =>
    k.startsWith(PREFIX),
  );
  if (keys.length < MOST_WIDGETS) return;
  const aged = keys.map((key) => ({ key, at: parsed(storage.getItem(key))?.at ?? 0 })).sort((a, b) => a.at - b.at);
  for (const { key } of aged.slice(0, aged.length - MOST_WIDGETS + 1)) storage.removeItem(key);
}
