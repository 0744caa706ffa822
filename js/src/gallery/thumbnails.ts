import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import { shownAspect } from "../engine/geometry";
import type { Kernel } from "../kernel/kernel";
import type { Thumbnail, Thumbnails as ThumbnailsMessage } from "../kernel/protocol";

export interface LoadedThumbnail extends Thumbnail {
  /** Object URL of the encoded bytes; empty where there was an error. */
  url: string;
  /** The size that was asked for. */
  size: number;
}

interface Entry {
  thumbnail: Signal<LoadedThumbnail | null>;
  bytes: number;
  /** The number of tiles that want each size. */
  wanted: Map<number, number>;
  /** The largest size asked for and not yet answered. */
  asked: number;
}

const BATCH = 64;
/** With more at once, the kernel would answer for images that were scrolled away long ago. */
const MAX_IN_FLIGHT = 3;
const CACHE_BYTES = 96e6;
const CACHE_ENTRIES = 6_000;

/**
 * The thumbnails, asked for when a tile needs them and kept while there is room. An image keeps only its largest one:
 * the browser scales that down as well as the kernel would.
 */
export class ThumbnailCache {
  #entries = new Map<string, Entry>(); // least recently used first
  #bytes = 0;
  #frame = 0;
  #inFlight = 0;
  #abort = new AbortController();
  /** What `aspect` returns, kept longer than the thumbnails. */
  readonly #aspects = new Map<string, number>();
  readonly #aspectsKnown = signal(0);
  readonly #kernel: Kernel;
  readonly #onError: (message: string) => void;

  constructor(kernel: Kernel, onError: (message: string) => void) {
    this.#kernel = kernel;
    this.#onError = onError;
  }

  thumbnail(image: string): ReadonlySignal<LoadedThumbnail | null> {
    return this.#entry(image).thumbnail;
  }

  /** Width ÷ height of what tiles show of an image; undefined until its first thumbnail has come. */
  aspect(image: string): number | undefined {
    this.#aspectsKnown.value;
    return this.#aspects.get(image);
  }

  /** Wants `image` at `size` until the returned function is called. */
  acquire(image: string, size: number): () => void {
    const entry = this.#entry(image);
    this.#entries.delete(image);
    this.#entries.set(image, entry);
    entry.wanted.set(size, (entry.wanted.get(size) ?? 0) + 1);
    this.#schedule();
    return () => {
      const left = (entry.wanted.get(size) ?? 1) - 1;
      if (left) entry.wanted.set(size, left);
      else entry.wanted.delete(size);
    };
  }

  #entry(image: string): Entry {
    let entry = this.#entries.get(image);
    if (!entry) {
      entry = { thumbnail: signal(null), bytes: 0, wanted: new Map(), asked: 0 };
      this.#entries.set(image, entry);
    }
    return entry;
  }

  /** Asks once per frame, so that images that scrolled past in between are never asked for. */
  #schedule(): void {
    if (!this.#frame && !this.#abort.signal.aborted) this.#frame = requestAnimationFrame(this.#flush);
  }

  #flush = (): void => {
    this.#frame = 0;
    const bySize = new Map<number, string[]>();
    for (const [image, entry] of this.#entries) {
      const size = Math.max(0, ...entry.wanted.keys());
      if (size <= Math.max(entry.asked, entry.thumbnail.peek()?.size ?? 0)) continue;
      const images = bySize.get(size) ?? [];
      images.push(image);
      bySize.set(size, images);
    }
    for (const [size, images] of bySize) {
      for (let i = 0; i < images.length && this.#inFlight < MAX_IN_FLIGHT; i += BATCH) {
        this.#ask(images.slice(i, i + BATCH), size);
      }
    }
    this.#evict();
  };

  async #ask(images: string[], size: number): Promise<void> {
    for (const image of images) this.#entry(image).asked = size;
    this.#inFlight++;
    try {
      await this.#kernel.ask(
        { kind: "thumbnails", images, size },
        {
          signal: this.#abort.signal,
          onPart: (part, buffers) => this.#store(part, buffers, size),
        },
      );
      for (const image of images) this.#giveUp(image, size, "The kernel sent no thumbnail.");
    } catch (error) {
      if (this.#abort.signal.aborted) return;
      this.#onError(`Photographs could not be loaded: ${(error as Error).message}`);
      for (const image of images) this.#giveUp(image, size, (error as Error).message);
    } finally {
      this.#inFlight--;
      for (const image of images) {
        const entry = this.#entries.get(image);
        if (entry?.asked === size) entry.asked = 0;
      }
      this.#schedule();
    }
  }

  #store(message: ThumbnailsMessage, buffers: DataView[], size: number): void {
    const known = this.#aspects.size;
    batch(() => this.#storeAll(message, buffers, size));
    if (this.#aspects.size > known) this.#aspectsKnown.value = this.#aspects.size;
  }

  #storeAll(message: ThumbnailsMessage, buffers: DataView[], size: number): void {
    message.items.forEach((item, i) => {
      const entry = this.#entries.get(item.image);
      const buffer = buffers[i];
      if (!item.error) this.#aspects.set(item.image, shownAspect(item, item.frame));
      if (!entry || (entry.thumbnail.peek()?.size ?? 0) >= size) return;
      // The blob gets the bytes of the DataView only, not of the whole message that it is a window of.
      const blob = new Blob(buffer ? [buffer as DataView<ArrayBuffer>] : [], { type: item.type });
      const url = item.error || !blob.size ? "" : URL.createObjectURL(blob);
      this.#replace(entry, { ...item, url, size }, blob.size);
    });
  }

  /** Marks a thumbnail that did not come as answered, so that it is not asked for again and again. */
  #giveUp(image: string, size: number, error: string): void {
    const entry = this.#entries.get(image);
    const thumbnail = entry?.thumbnail.peek();
    if (!entry || (thumbnail?.size ?? 0) >= size) return;
    const frame: Thumbnail["frame"] = [0, 0, 1, 1];
    const blank = { image, width: 1, height: 1, frame, type: "", url: "", error };
    entry.thumbnail.value = { ...(thumbnail ?? blank), size };
  }

  #replace(entry: Entry, thumbnail: LoadedThumbnail | null, bytes: number): void {
    const old = entry.thumbnail.peek();
    this.#bytes += bytes - entry.bytes;
    entry.bytes = bytes;
    entry.thumbnail.value = thumbnail;
    if (old?.url) URL.revokeObjectURL(old.url);
  }

  #evict(): void {
    if (this.#bytes <= CACHE_BYTES && this.#entries.size <= CACHE_ENTRIES) return;
    for (const [image, entry] of this.#entries) {
      if (entry.wanted.size || entry.asked) continue;
      this.#replace(entry, null, 0);
      this.#entries.delete(image);
      if (this.#bytes <= CACHE_BYTES / 2 && this.#entries.size <= CACHE_ENTRIES / 2) return;
    }
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
    this.#abort.abort();
    for (const entry of this.#entries.values()) this.#replace(entry, null, 0);
    this.#entries.clear();
  }
}
