import type { Products } from "../kernel/protocol";
import { Spread } from "./spread";
import type { Weights } from "./weights";

/** The settings that products depend on. */
export type ProductSettings = Products["settings"];

/** What the page was sent about one image: products of its operator with its own representation and with members'. */
export interface ImageProducts {
  method: string;
  preview: boolean;
  progress: number;
  spread: Spread;
  own: Float32Array;
  members: Map<string, Float32Array>;
}

/** The products of the images that are shown, in the newest space. */
export class ProductStore {
  #space = -1;
  #settings: ProductSettings | null = null;
  #images = new Map<string, ImageProducts>();
  /** The spreads in use: messages repeat their matrices. */
  #spreads: Spread[] = [];

  /** Takes a message, and returns the images whose products have changed; images that are not shown are left out. */
  take(message: Products, buffers: DataView[], isShown: (image: string) => boolean): string[] {
    if (message.space < this.#space) return [];
    this.enter(message.space);
    this.#settings = message.settings;
    for (const image of message.dropped) this.#images.delete(image);
    const spread = this.#spreadOf(message, buffers);
    const changed: string[] = [];
    message.items.forEach((item, i) => {
      if (!isShown(item.image)) return;
      const numbers = floats(buffers[2 + i], (1 + message.members.length) * (spread.k + 1));
      const product = (at: number) => numbers.subarray(at * (spread.k + 1), (at + 1) * (spread.k + 1));
      const earlier = this.#images.get(item.image);
      const kept = item.replaces || earlier?.spread !== spread ? undefined : earlier.members;
      const members = kept ?? new Map<string, Float32Array>();
      message.members.forEach((member, at) => {
        members.set(member, product(at + 1));
      });
      const { method, preview, progress } = item;
      this.#images.set(item.image, { method, preview, progress, spread, own: product(0), members });
      changed.push(item.image);
    });
    return changed;
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

  #spreadOf({ cells, size }: Products, buffers: DataView[]): Spread {
    const rows = floats(buffers[0], size[0] * cells[0]);
    const columns = floats(buffers[1], size[1] * cells[1]);
    const known = this.#spreads.find((each) => {
      const same = each.cells[0] === cells[0] && each.cells[1] === cells[1];
      return same && equal(each.rows, rows) && equal(each.columns, columns);
    });
    if (known) return known;
    const spread = new Spread(cells, size, rows, columns);
    this.#spreads.push(spread);
    return spread;
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

  /** Forgets the images that are no longer shown; the kernel sends them again when they come back into view. */
  drop(isShown: (image: string) => boolean): void {
    for (const image of [...this.#images.keys()]) if (!isShown(image)) this.#images.delete(image);
  }
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

/** Little-endian numbers of a buffer, which may begin at any byte. */
function floats(buffer: DataView | undefined, count: number): Float32Array {
  if (!buffer || buffer.byteLength < 4 * count)
    throw new RangeError(`Products need ${4 * count} bytes; ${buffer?.byteLength ?? 0} came.`);
  const start = buffer.byteOffset;
  return new Float32Array(buffer.buffer.slice(start, start + 4 * count) as ArrayBuffer);
}

const equal = (a: Float32Array, b: Float32Array): boolean => a.length === b.length && a.every((x, i) => x === b[i]);
