/** A list of ids that knows the place of each: galleries hold 100,000, too many to search at every render and key. */
export class Order {
  #places: Map<string, number> | undefined;

  constructor(readonly ids: readonly string[]) {}

  get length(): number {
    return this.ids.length;
  }

  /** The index of an id; −1 when the list does not hold it. */
  indexOf(id: string): number {
    if (!this.#places) {
      this.#places = new Map();
      for (const [index, each] of this.ids.entries()) this.#places.set(each, index);
    }
    return this.#places.get(id) ?? -1;
  }

  has(id: string): boolean {
    return this.indexOf(id) >= 0;
  }
}
