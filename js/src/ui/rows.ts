import type { Size } from "../engine/geometry";

/** A part of a grid: tiles of one size in rows. */
export interface Part extends Size {
  count: number;
  columns: number;
}

export interface Place extends Size {
  left: number;
  top: number;
}

/** The places of the tiles of a grid, row by row, in CSS pixels from its upper left corner. */
export interface TileRows<P extends Place = Place> {
  /** The numbers of tiles and of rows. */
  readonly count: number;
  readonly rows: number;
  readonly height: number;
  /** The upper edge of a row, and the upper edge of the one below it. */
  top(row: number): number;
  bottom(row: number): number;
  /** The row at `y` pixels below the upper edge, or the nearest row if `y` is beyond all rows. */
  at(y: number): number;
  rowOf(index: number): number;
  /** The first tile of a row; for the row after the last one, the number of tiles. */
  first(row: number): number;
  place(index: number): P;
}

/** The tile `by` rows below another one (above it when negative), the nearest to its middle; null without such a row. */
export function below(rows: TileRows, index: number, by: number): number | null {
  const row = rows.rowOf(index) + by;
  if (row < 0 || row >= rows.rows) return null;
  const middle = (i: number) => rows.place(i).left + rows.place(i).width / 2;
  const distance = (i: number) => Math.abs(middle(i) - middle(index));
  let nearest = rows.first(row);
  for (let i = nearest + 1; i < rows.first(row + 1); i++) if (distance(i) <= distance(nearest)) nearest = i;
  return nearest;
}

/** Rows of tiles of one size; those of `head`, which may have another size, are in rows above the others. */
export class Rows implements TileRows {
  readonly count: number;
  readonly rows: number;
  readonly #headRows: number;

  constructor(
    readonly body: Part,
    readonly gap: number,
    readonly head: Part = { ...body, count: 0 },
  ) {
    this.count = head.count + body.count;
    this.#headRows = Math.ceil(head.count / head.columns);
    this.rows = this.#headRows + Math.ceil(body.count / body.columns);
  }

  get height(): number {
    return Math.max(0, this.top(this.rows) - this.gap);
  }

  #part(row: number): Part {
    return row < this.#headRows ? this.head : this.body;
  }

  top(row: number): number {
    const { head, body, gap } = this;
    const heads = Math.min(row, this.#headRows);
    return heads * (head.height + gap) + (row - heads) * (body.height + gap);
  }

  bottom(row: number): number {
    return this.top(row) + this.#part(row).height + this.gap;
  }

  at(y: number): number {
    const { head, body, gap } = this;
    const heads = this.top(this.#headRows);
    if (y < heads) return Math.max(0, Math.floor(y / (head.height + gap)));
    return Math.min(Math.max(0, this.rows - 1), this.#headRows + Math.floor((y - heads) / (body.height + gap)));
  }

  rowOf(index: number): number {
    const { head, body } = this;
    if (index < head.count) return Math.floor(index / head.columns);
    return this.#headRows + Math.floor((index - head.count) / body.columns);
  }

  first(row: number): number {
    const { head, body } = this;
    if (row < this.#headRows) return row * head.columns;
    return Math.min(this.count, head.count + (row - this.#headRows) * body.columns);
  }

  place(index: number): Place {
    const row = this.rowOf(index);
    const { width, height } = this.#part(row);
    return { left: (index - this.first(row)) * (width + this.gap), top: this.top(row), width, height };
  }
}
