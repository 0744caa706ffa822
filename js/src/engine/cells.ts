import type { Weights } from "./weights";

/** Cells: the places of an image as members. `cocoa_widget/live/cells.py` makes them and their ids. */

/** The rows and columns of an image's cells; `origin`, the start of their ids, differs with the operator. */
export interface CellGrid {
  image: string;
  origin: string;
  rows: number;
  columns: number;
}

/** A place in an image, in fractions of what the encoder sees of it. */
export interface Place {
  image: string;
  x: number;
  y: number;
}

const ID = /^(cell:[^:]*:(\d+)x(\d+)):\d+:(.*)$/s;

export const isCell = (id: string): boolean => id.startsWith("cell:");

/** The grid that a cell is of; null for an id of another form. */
export function gridOf(id: string): CellGrid | null {
  const parts = ID.exec(id);
  if (!parts) return null;
  const [, origin = "", rows, columns, image = ""] = parts;
  return { image, origin, rows: Number(rows), columns: Number(columns) };
}

export const sameGrid = (a: CellGrid, b: CellGrid): boolean => a.image === b.image && a.origin === b.origin;

/** The row and the column of the cell at a place. */
export function cellAt({ rows, columns }: CellGrid, { x, y }: Place): { row: number; column: number } {
  const within = (part: number, count: number) => Math.max(0, Math.min(count - 1, Math.floor(part * count)));
  return { row: within(y, rows), column: within(x, columns) };
}

/** The middle of the cell that is some rows and columns away from the one at a place, as far as there are cells. */
export function middle(grid: CellGrid, place: Place, down = 0, right = 0): Place {
  const { row, column } = cellAt(grid, place);
  const within = (at: number, count: number) => (Math.max(0, Math.min(count - 1, at)) + 0.5) / count;
  return { image: place.image, x: within(column + right, grid.columns), y: within(row + down, grid.rows) };
}

/** The direction of the cell at a place. */
export function weighCell(grid: CellGrid, place: Place): Weights {
  const { row, column } = cellAt(grid, place);
  const id = `${grid.origin}:${row * grid.columns + column}:${grid.image}`;
  return { own: 0, members: [{ image: id, bin: "corpus" }], each: Float64Array.of(1) };
}
