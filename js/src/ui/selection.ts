import type { Region } from "../bins/bins";
import type { Order } from "./order";

/** The selected tiles: always within one region, so that "move these" is never ambiguous. */
export interface Selection {
  readonly region: Region;
  readonly ids: ReadonlySet<string>;
  /** Where a range starts. */
  readonly anchor: string | null;
}

export type SelectMode = "replace" | "toggle" | "range";

export const NOTHING_SELECTED: Selection = { region: "gallery", ids: new Set(), anchor: null };

export function select(current: Selection, region: Region, order: Order, id: string, mode: SelectMode): Selection {
  const before = current.region === region ? current : { ...NOTHING_SELECTED, region };
  if (mode === "toggle") {
    const ids = new Set(before.ids);
    if (!ids.delete(id)) ids.add(id);
    return { region, ids, anchor: id };
  }
  const start = before.anchor === null ? -1 : order.indexOf(before.anchor);
  const end = order.indexOf(id);
  if (mode === "replace" || start < 0 || end < 0) return { region, ids: new Set([id]), anchor: id };
  const range = order.ids.slice(Math.min(start, end), Math.max(start, end) + 1);
  return { region, ids: new Set(range), anchor: before.anchor };
}

export const selectAll = (region: Region, order: Order): Selection => ({
  region,
  ids: new Set(order.ids),
  anchor: order.ids[0] ?? null,
});

/** The tiles that are dragged or moved with one of them: the whole selection when it is selected, else it alone. */
export function carried(selection: Selection, region: Region, order: Order, id: string): string[] {
  const whole = selection.region === region && selection.ids.has(id);
  return whole ? order.ids.filter((other) => selection.ids.has(other)) : [id];
}

/** Deselects tiles that have left the region. */
export function pruned(selection: Selection, present: Order): Selection {
  const kept = [...selection.ids].filter((id) => present.has(id));
  return kept.length === selection.ids.size ? selection : { ...selection, ids: new Set(kept) };
}
