import type { Products } from "../kernel/protocol";
import { type CellGrid, gridOf, isCell, sameGrid } from "./cells";
import { FilterMemory, GuidedFilter } from "./guided-filter";
import { SeparableTerm } from "./separable-term";
import { SparseTerm } from "./sparse-term";
import { Spread, type Term } from "./spread";
import type { Weights } from "./weights";

/** The settings that products depend on. */
export type ProductSettings = Products["settings"];

/** What the page was sent about one image: products of its operator with its own representation and with members'. */
export interface ImageProducts {
  method: string;
  preview: boolean;
  progress: number;
  spread: Spread;
  /** What the heatmap of the spread goes through at the end. */
  filter: GuidedFilter | null;
  own: Float32Array;
  members: Map<string, Float32Array>;
  /** The cells among the members; null without any. */
  grid: CellGrid | null;
}

/** The products of the images that are shown, in the newest space. */
export class ProductStore {
  #space = -1;
  #settings: ProductSettings | null = null;
  #images = new Map<string, ImageProducts>();
  /** The spreads that images share: messages repeat them. */
  #spreads: Spread[] = [];
  readonly #memory = new FilterMemory();
  /** The image whose cells are kept as members. */
  #cellsOf: string | null = null;

  /** Takes a message, and returns the images whose products have changed; images that are not shown are left out. */
  take(message: Products, buffers: DataView[], isShown: (image: string) => boolean): string[] {
    if (message.space < this.#space) return [];
    this.enter(message.space);
    this.#settings = message.settings;
    for (const image of message.dropped) this.#images.delete(image);
    const { spread, values, filters } = this.#read(message, buffers, isShown);
    const grid = message.members.map(gridOf).find((each) => each?.image === this.#cellsOf) ?? null;
    const changed: string[] = [];
    message.items.forEach((item, i) => {
      if (!isShown(item.image)) return;
      const earlier = this.#images.get(item.image);
      const known = spread ? { spread, filter: filters[i] ?? null } : earlier;
      if (!known) return; // its spread was lost, and the page will ask for everything again
      const own = keep(item.replaces ? undefined : earlier, message.members, values[i], known.spread.k + 1, grid);
      const { method, preview, progress } = item;
      const { spread: its, filter } = known;
      this.#images.set(item.image, { method, preview, progress, spread: its, filter, ...own });
      changed.push(item.image);
    });
    return changed;
  }

  /** Reads the buffers of a message: the spread of all its images, their products, and the filters at the end. */
  #read({ spread: sent, items }: Products, buffers: DataView[], isShown: (image: string) => boolean) {
    const rest = buffers[Symbol.iterator]();
    const next = () => rest.next().value;
    const spread = sent && this.#shared(spreadOf(sent, next));
    const values = items.map(next);
    const filters = items.map((item) => {
      const pixels = sent?.filter && bytes(next(), 3 * sent.size[0] * sent.size[1]);
      if (!sent?.filter || !pixels || !isShown(item.image)) return null;
      return new GuidedFilter(sent.size, sent.filter.radius, sent.filter.epsilon, pixels, this.#memory);
    });
    return { spread, values, filters };
  }

  /** Forgets the products of earlier spaces; returns the newest space. */
  enter(space: number): number {
    if (space > this.#space) {
      this.#space = space;
      this.#images.clear();
      this.#spreads = [];
    }
    return this.#space;
  }

  #shared(spread: Spread): Spread {
    const known = this.#spreads.find((each) => each.equals(spread));
    if (!known && spread.isShared) this.#spreads.push(spread);
    return known ?? spread;
  }

  /** The products of an image; undefined without any under these settings. */
  of(image: string, settings: ProductSettings): ImageProducts | undefined {
    return this.#fit(settings) ? this.#images.get(image) : undefined;
  }

  #fit(settings: ProductSettings): boolean {
    const theirs = this.#settings;
    return (
      theirs !== null && (Object.keys(theirs) as (keyof ProductSettings)[]).every((k) => theirs[k] === settings[k])
    );
  }

  has(image: string): boolean {
    return this.#images.has(image);
  }

  get images(): Iterable<string> {
    return this.#images.keys();
  }

  /** Keeps the cells of one image as members; those of others are forgotten, as the kernel does. */
  keepCells(image: string | null): void {
    if (image === this.#cellsOf) return;
    this.#cellsOf = image;
    for (const products of this.#images.values()) {
      if (products.grid) dropCells(products.members);
      products.grid = null;
    }
  }

  /** Forgets the images that are no longer shown; the kernel sends them again when they come back into view. */
  drop(isShown: (image: string) => boolean): void {
    for (const image of [...this.#images.keys()]) if (!isShown(image)) this.#images.delete(image);
  }
}

/**
 * Adds the products of a message to those that are kept of an image, and returns them all.
 *
 * @param earlier what is kept, if it still holds
 * @param ids the message's members
 * @param values the product with the image's own representation, then those with the members
 * @param length how many numbers a product has
 * @param grid the grid of those cells among the members that are wanted; others are left out
 */
function keep(
  earlier: ImageProducts | undefined,
  ids: readonly string[],
  values: DataView | undefined,
  length: number,
  grid: CellGrid | null,
): Pick<ImageProducts, "own" | "members" | "grid"> {
  const numbers = new Float32Array(bytes(values, 4 * length * (1 + ids.length)).buffer);
  const product = (at: number) => numbers.subarray(at * length, (at + 1) * length);
  // Cells are many and forgotten soon: what stays must not keep their memory.
  const apart = ids.some(isCell);
  const lasting = (at: number) => (apart ? product(at).slice() : product(at));
  const members = earlier?.members ?? new Map<string, Float32Array>();
  const before = earlier?.grid ?? null;
  const stays = before && (!grid || sameGrid(before, grid));
  if (before && !stays) dropCells(members);
  ids.forEach((member, at) => {
    if (!isCell(member)) members.set(member, lasting(at + 1));
    else if (grid && gridOf(member)?.image === grid.image) members.set(member, product(at + 1));
  });
  return { own: lasting(0), members, grid: stays ? before : grid };
}

function dropCells(members: Map<string, Float32Array>): void {
  for (const member of [...members.keys()]) if (isCell(member)) members.delete(member);
}

/** Adds products up by their weights; returns the first member without a product, or null when all have one. */
export function combine({ own, members }: ImageProducts, weights: Weights, sum: Float64Array): string | null {
  const length = own.length;
  for (let i = 0; i < length; i++) sum[i] = weights.own * (own[i] as number);
  for (let m = 0; m < weights.members.length; m++) {
    const { image } = weights.members[m] as Weights["members"][number];
    const product = members.get(image);
    if (!product) return image;
    const weight = weights.each[m] as number;
    for (let i = 0; i < length; i++) sum[i] = (sum[i] as number) + weight * (product[i] as number);
  }
  return null;
}

/** The spread of a message, whose buffers are the `next` ones. */
function spreadOf({ size, terms }: NonNullable<Products["spread"]>, next: () => DataView | undefined): Spread {
  const [height, width] = size;
  const floats = (count: number) => new Float32Array(bytes(next(), 4 * count).buffer);
  const found = terms.map((term): Term => {
    if (term.kind === "separable")
      return new SeparableTerm(term.cells, floats(height * term.cells[0]), floats(width * term.cells[1]));
    const starts = new Uint32Array(bytes(next(), 4 * (height * width + 1)).buffer);
    return new SparseTerm(
      term.k,
      width,
      starts,
      new Uint16Array(bytes(next(), 2 * term.entries).buffer),
      floats(term.entries),
    );
  });
  return new Spread(size, found);
}

/** A copy of the first bytes of a buffer, which may begin anywhere in a larger one. */
function bytes(buffer: DataView | undefined, count: number): Uint8Array<ArrayBuffer> {
  if (!buffer || buffer.byteLength < count)
    throw new RangeError(`Products need ${count} bytes; ${buffer?.byteLength ?? 0} came.`);
  return new Uint8Array(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + count) as ArrayBuffer);
}
