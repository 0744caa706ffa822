import { type Signal, signal } from "@preact/signals";
import type { Region } from "../bins/bins";
import type { TileRows } from "./rows";
import { NOTHING_SELECTED, type Selection } from "./selection";

/** The layout of a scrolling grid of tiles, as the keyboard needs it. */
export interface GridShape {
  rows: TileRows;
  rowsPerPage: number;
}

/** Which tiles are selected and which have the focus. */
export class TilesState {
  readonly selection = signal<Selection>(NOTHING_SELECTED);
  /** The tile of each region that the Tab key reaches. */
  readonly focused: Record<Region, Signal<string | null>> = {
    gallery: signal(null),
    corpus: signal(null),
    foil: signal(null),
    explicands: signal(null),
  };
  /** The region that takes the focus as soon as its tile is mounted. */
  readonly focusIntent = signal<Region | null>(null);
  readonly shapes = new Map<Region, GridShape>();

  clearSelection(): void {
    this.selection.value = NOTHING_SELECTED;
  }

  /** Moves the focus to a tile. */
  focus(region: Region, id: string): void {
    this.focused[region].value = id;
    this.focusIntent.value = region;
  }
}
