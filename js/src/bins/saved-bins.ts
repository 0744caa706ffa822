import { BINS, type Bins } from "./bins";

/** The bins of a widget, saved beyond the model that they were in. */
export interface SavedBins extends Bins {
  /** The id of that model. */
  model: string;
}

interface Entry extends SavedBins {
  at: number;
}

const PREFIX = "cocoa-widget:bins:";
const MOST_WIDGETS = 20;
/** In characters; browsers give a site about five million in all. */
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

/** Runs `use` on the browser's storage for this tab; null where it is missing (frames in a sandbox) or full. */
function withStorage<T>(use: (storage: Storage) => T): T | null {
  try {
    return use(window.sessionStorage);
  } catch {
    return null;
  }
}

export function loadBins(name: string): SavedBins | null {
  return withStorage((storage) => parsed(storage.getItem(PREFIX + name)));
}

/** Saves the bins under a name. Bins that are too long are not saved, and what was saved under their name is removed. */
export function saveBins(name: string, bins: SavedBins): void {
  withStorage((storage) => {
    const text = JSON.stringify({ ...bins, at: Date.now() } satisfies Entry);
    storage.removeItem(PREFIX + name);
    if (text.length > LONGEST) return;
    makeRoom(storage);
    storage.setItem(PREFIX + name, text);
  });
}

export function forgetBins(name: string): void {
  withStorage((storage) => storage.removeItem(PREFIX + name));
}

/** Removes the entries changed longest ago. They are parsed only when there are too many: this runs at every change. */
function makeRoom(storage: Storage): void {
  const keys = Array.from({ length: storage.length }, (_, i) => storage.key(i) ?? "").filter((k) =>
    k.startsWith(PREFIX),
  );
  if (keys.length < MOST_WIDGETS) return;
  const aged = keys.map((key) => ({ key, at: parsed(storage.getItem(key))?.at ?? 0 })).sort((a, b) => a.at - b.at);
  for (const { key } of aged.slice(0, aged.length - MOST_WIDGETS + 1)) storage.removeItem(key);
}
