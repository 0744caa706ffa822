import { carriedFrom, enlarge, moveImages, removeImages, step } from "../bins/actions";
import type { Region } from "../bins/bins";
import { regionOf } from "../bins/drag-controller";
import { leavePlaces, stepPlace, togglePlaces } from "../explicands/where-else";
import type { Store } from "../store";
import type { Order } from "./order";
import { below } from "./rows";
import { type SelectMode, select, selectAll } from "./selection";
import type { GridShape } from "./tiles-state";

/**
 * Attributes of every element that can take the focus: JupyterLab and Notebook look for shortcuts at the focused element,
 * and without this mark `x` would cut the cell and `d d` delete it.
 */
export const FOCUSABLE = { "data-lm-suppress-shortcuts": "true" } as const;

/** The tile that a navigation key leads to from `index` in a grid of `count` tiles; null for other keys. */
export function navigate(key: string, index: number, count: number, { rows, rowsPerPage }: GridShape): number | null {
  const within = (i: number) => Math.max(0, Math.min(count - 1, i));
  switch (key) {
    case "ArrowRight":
      return within(index + 1);
    case "ArrowLeft":
      return within(index - 1);
    case "ArrowDown":
      return below(rows, index, 1) ?? count - 1;
    case "ArrowUp":
      return below(rows, index, -1) ?? index;
    case "PageDown":
      return below(rows, index, rowsPerPage) ?? count - 1;
    case "PageUp":
      return below(rows, index, -rowsPerPage) ?? 0;
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}

const SEND_TO: Record<string, Region> = { c: "corpus", f: "foil", e: "explicands" };

/** Acts on a key in the page; returns whether the page has used it. */
export function handleKey(store: Store, event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement;
  const dialog = target.closest("[role=dialog]");
  if (target.closest("input, [role=menu]") || (dialog && !store.insight.enlarged.peek())) return false;
  const command = event.ctrlKey || event.metaKey;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (command && !event.altKey && (key === "z" || key === "y")) {
    step(store, key === "y" || event.shiftKey ? "redo" : "undo");
    return true;
  }
  // Bins can be changed in the enlarged view too, hence the undo; its other keys are handled there.
  if (dialog) return false;
  if (event.key === "?" && !command) {
    store.ui.help.value = true;
    return true;
  }
  if (key === "t" && !command && !event.altKey) return goToField(target, event.shiftKey);
  if (key === "Escape" && leavePlaces(store)) return true;
  if (key === "Escape" && store.tiles.selection.peek().ids.size) {
    store.tiles.clearSelection();
    return true;
  }
  const region = regionOf(target);
  return region && !target.closest("button") ? handleTileKey(store, event, key, command, region) : false;
}

/** Moves the focus to the text field of the bin that has the focus, else of the corpus; with Shift, of the foil. */
function goToField(target: HTMLElement, shift: boolean): boolean {
  const bin = shift || regionOf(target) === "foil" ? "foil" : "corpus";
  const field = target.closest(".cocoa")?.querySelector<HTMLInputElement>(`[data-add-text=${bin}]`);
  field?.focus();
  return field !== null && field !== undefined;
}

function handleTileKey(store: Store, event: KeyboardEvent, key: string, command: boolean, region: Region): boolean {
  const order = store.order(region);
  if (command) {
    if (key !== "a") return false;
    store.tiles.selection.value = selectAll(region, order);
    return true;
  }
  const id = store.tiles.focused[region].peek() ?? order.ids[0];
  if (id === undefined || event.altKey) return false;
  if (region === "explicands" && stepPlace(store, id, event.key)) return true;
  const shape = store.tiles.shapes.get(region);
  const next = shape ? navigate(event.key, order.indexOf(id), order.length, shape) : null;
  if (next !== null) {
    const to = order.ids[next] as string;
    store.tiles.focus(region, to);
    if (event.shiftKey) extend(store, region, order, id, to);
    return true;
  }
  const destination = SEND_TO[key];
  if (destination) moveImages(store, carriedFrom(store, region, id), region, destination);
  else if (key === "Delete" || key === "Backspace") removeImages(store, carriedFrom(store, region, id), region);
  else if (key === " ") store.tiles.selection.value = select(store.tiles.selection.peek(), region, order, id, "toggle");
  else if (key === "w" && region === "explicands") togglePlaces(store, id);
  else if (key === "Enter") enlarge(store, id, region);
  else return false;
  return true;
}

/** Selects a range; without a selection it starts at the tile that had the focus. */
function extend(store: Store, region: Region, order: Order, from: string, to: string): void {
  const { anchor, region: selected } = store.tiles.selection.peek();
  const start =
    anchor === null || selected !== region
      ? select(store.tiles.selection.peek(), region, order, from, "replace")
      : store.tiles.selection.peek();
  store.tiles.selection.value = select(start, region, order, to, "range");
}

/** How a click selects: as in file managers; touch has no modifier keys, so taps toggle. */
export function clickMode(event: MouseEvent): SelectMode {
  if (event.shiftKey) return "range";
  const touch = (event as PointerEvent).pointerType === "touch";
  return event.ctrlKey || event.metaKey || touch ? "toggle" : "replace";
}
