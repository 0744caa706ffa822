import type { Size } from "../engine/geometry";

/** A part of a grid: tiles of one size in rows. */
export interface Part extends Size {
  count: number;
  columns: number;
}

/** The places of the tiles of a grid; those of `head`, which may have another size, are in rows above the others. */
export class Rows {
  readonly count: number;
  readonly rows: number;
  readonly #headRows: number;

  constructor(
    readonly head: Part,
    readonly body: Part,
    readonly gap: number,
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

  /** The upper edge of a row. */
  top(row: number): number {
    const { head, body, gap } = this;
    const heads = Math.min(row, this.#headRows);
    return heads * (head.height + gap) + (row - heads) * (body.height + gap);
  }

  bottom(row: number): number {
    return this.top(row) + this.#part(row).height + this.gap;
  }

  /** The row at `y` pixels below the upper edge. */
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

  /** The first tile of a row; for the row after the last one, the number of tiles. */
  first(row: number): number {
    const { head, body } = this;
    if (row < this.#headRows) return row * head.columns;
    return Math.min(this.count, head.count + (row - this.#headRows) * body.columns);
  }

  place(index: number): Size & { left: number; top: number } {
    const row = this.rowOf(index);
    const { width, height } = this.#part(row);
    return { left: (index - this.first(row)) * (width + this.gap), top: this.top(row), width, height };
  }

  /** The tile `by` rows below `index` (above it when negative); null when there is no such row. */
  below(index: number, by: number): number | null {
    const row = this.rowOf(index);
    const to = row + by;
    if (to < 0 || to >= this.rows) return null;
    const [from, target] = [this.#part(row), this.#part(to)];
    const column = Math.floor(((index - this.first(row) + 0.5) / from.columns) * target.columns);
    return Math.min(this.first(to) + column, this.first(to + 1) - 1);
  }
}
