import { batch, computed, type ReadonlySignal, signal } from "@preact/signals";
import { type CellGrid, middle, type Place } from "../engine/cells";

/** The place of an explicand at which the user points, to see where else the encoder sees the same. */
export class Pointing {
  /** The explicand that is pointed at until its button or Escape: not only while the key is held. */
  readonly pinned = signal<string | null>(null);
  /** The cells of that explicand; null while they are not known. */
  readonly grid = signal<CellGrid | null>(null);
  /** The middle of the cell that is pointed at; the place itself while the cells are not known. */
  readonly place: ReadonlySignal<Place | null>;
  readonly image: ReadonlySignal<string | null>;
  readonly #raw = signal<Place | null>(null);

  constructor() {
    let last: Place | null = null;
    this.place = computed(() => {
      const [raw, grid] = [this.#raw.value, this.grid.value];
      const next = raw && grid?.image === raw.image ? middle(grid, raw) : raw;
      // The same object within a cell: moves of the pointer there compute nothing.
      if (!next || !last || !same(next, last)) last = next;
      return last;
    });
    this.image = computed(() => this.#raw.value?.image ?? null);
  }

  /** Points at a place: for as long as the key is held, or where the explicand is pinned. */
  hover(place: Place | null, held: boolean): void {
    const pinned = this.pinned.peek();
    if (pinned === null) this.#raw.value = held ? place : null;
    else if (place?.image === pinned) this.#raw.value = place;
  }

  /** Pins an explicand, at its middle; the one that is pinned is left. */
  toggle(image: string): void {
    if (this.pinned.peek() === image) this.leave();
    else
      batch(() => {
        this.pinned.value = image;
        this.#raw.value = { image, x: 0.5, y: 0.5 };
      });
  }

  /** Moves to a neighbouring cell. */
  step(down: number, right: number): void {
    const [grid, place] = [this.grid.peek(), this.place.peek()];
    if (grid && place) this.#raw.value = middle(grid, place, down, right);
  }

  leave(): void {
    batch(() => {
      this.pinned.value = null;
      this.#raw.value = null;
    });
  }
}

const same = (a: Place, b: Place): boolean => a.image === b.image && a.x === b.x && a.y === b.y;
