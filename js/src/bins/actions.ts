import type { Operation } from "../kernel/protocol";
import type { Store } from "../store";
import { carried } from "../ui/selection";
import type { Bin, Region } from "./bins";
import { contents, leftOut, type Offer } from "./restoring";
import { amount, isText, nameOf } from "./texts";

/** The actions of buttons, keys and drops. Each is one operation, hence one step to undo. */

const NAMES: Record<Region, string> = { gallery: "gallery", corpus: "corpus", foil: "foil", explicands: "explicands" };
const TITLES: Record<Bin, string> = { corpus: "Corpus", foil: "Foil", explicands: "Explicands" };

const sizeOf = (store: Store, bin: Bin) => `${TITLES[bin]} has ${store.settings[bin].peek().length}.`;

export function moveImages(store: Store, ids: readonly string[], from: Region, to: Region): void {
  if (!ids.length || from === to) return;
  const left = from === "corpus" || from === "foil" ? store.order(from).indexOf(ids[0] ?? "") : -1;
  const moved = to === "explicands" ? ids.filter((id) => !isText(id)) : ids;
  if (!moved.length) return store.ui.announce("A text has no pixels to explain: it can only be in corpus or foil.");
  if (!store.kernel.operate({ kind: "move", ids: [...ids], origin: from, to })) {
    store.ui.announce(`Nothing moved: already in ${NAMES[to]}.`);
    return;
  }
  store.ui.hasMoved.value = true;
  const bin = to === "gallery" ? (from as Bin) : to;
  const verb = to === "explicands" ? "now explained" : to === "gallery" ? `removed from ${NAMES[from]}` : null;
  store.ui.announce(`${amount(moved)} ${verb ?? `moved from ${NAMES[from]} to ${NAMES[to]}`}. ${sizeOf(store, bin)}`);
  settleFocus(store, from, left);
}

export function removeImages(store: Store, ids: readonly string[], from: Region): void {
  const left = from === "gallery" ? -1 : store.order(from).indexOf(ids[0] ?? "");
  if (!ids.length || !store.kernel.operate({ kind: "move", ids: [...ids], origin: from, to: "gallery" })) return;
  const where = from === "gallery" ? "all bins" : NAMES[from];
  store.ui.announce(`${amount(ids)} removed from ${where}.${from === "gallery" ? "" : ` ${sizeOf(store, from)}`}`);
  settleFocus(store, from, left);
}

/** Moves the focus from a tile that has left the region to the one that took its place. */
function settleFocus(store: Store, region: Region, index: number): void {
  const order = store.order(region);
  const focused = store.tiles.focused[region];
  const id = focused.peek();
  if (id !== null && region !== "gallery" && !order.has(id)) {
    focused.value = order.ids[Math.min(Math.max(index, 0), order.length - 1)] ?? null;
    // Behind an open dialog a tile must not take the focus.
    if (!store.insight.enlarged.peek()) store.tiles.focusIntent.value = region;
  }
  // The action is done; the next one shall not concern these tiles again.
  store.tiles.clearSelection();
}

export function clearBin(store: Store, bin: Bin): void {
  const members = store.settings[bin].peek();
  if (store.kernel.operate({ kind: "clear", bin }))
    store.ui.announce(`${TITLES[bin]} cleared, ${amount(members)} removed.`);
}

export function swapBins(store: Store): void {
  if (store.kernel.operate({ kind: "swap" })) store.ui.announce("Corpus and foil swapped.");
}

/** Takes the last change back, or makes it again, whether it was made by this page, another view or code. */
export function step(store: Store, kind: "undo" | "redo"): void {
  const next = store.kernel.steps.peek()[kind].at(-1);
  if (!next) return store.ui.announce(`Nothing to ${kind}.`);
  store.kernel.operate({ kind, step: next.id });
  const done = next.edits ? `${kind === "undo" ? "Undone" : "Redone"}` : `To ${kind} when the kernel answers`;
  store.ui.announce(`${done}: ${next.label}.`);
}

/** The selected tiles, in the order of their region. */
export function selectedTiles(store: Store): string[] {
  const { region, ids } = store.tiles.selection.peek();
  return store.order(region).ids.filter((id) => ids.has(id));
}

/** The tiles that an action on one of them is about: the whole selection when it is selected. */
export function carriedFrom(store: Store, region: Region, id: string): string[] {
  return carried(store.tiles.selection.peek(), region, store.order(region), id);
}

/** The operation that restores the bins of an earlier run of the cell. */
export const restoration = ({ bins: { corpus, foil, explicands } }: Offer): Operation => ({
  kind: "set",
  corpus: [...corpus],
  foil: [...foil],
  explicands: [...explicands],
});

/** Restores the bins of an earlier run of the cell; one step to undo. */
export function restore(store: Store): void {
  const offer = store.bins.restoring.offer.peek();
  if (!offer) return;
  store.bins.restoring.offer.value = null;
  store.kernel.operate(restoration(offer));
  store.ui.announce(`Restored: ${contents(offer.bins)}. ${leftOut(offer)}`.trim());
}

export function enlarge(store: Store, image: string, from: Region): void {
  // A text is whole in its tile and tooltip already; a screen reader reads it out.
  if (isText(image)) store.ui.announce(`Text ${nameOf(image)}`);
  else store.insight.enlarged.value = { image, from };
}

/** Steps through the images of the region that the enlarged one was opened from. */
export function enlargeNext(store: Store, by: 1 | -1): void {
  const open = store.insight.enlarged.peek();
  if (!open) return;
  const { ids, length } = store.order(open.from);
  let at = store.order(open.from).indexOf(open.image);
  // Texts are passed over.
  for (let step = 0; step < length; step++) {
    at = (at + by + length) % length;
    if (!isText(ids[at] as string)) break;
  }
  const next = ids[at];
  if (next !== undefined && !isText(next)) store.insight.enlarged.value = { ...open, image: next };
}
