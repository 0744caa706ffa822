import { computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { Kernel } from "../kernel/kernel";
import type { Catalogue } from "../kernel/protocol";
import { Order } from "../ui/order";
import { TextSearch } from "./search";
import { ThumbnailCache } from "./thumbnails";

/** All images: which of them are shown, in which order, their names and their thumbnails. */
export class GalleryState {
  readonly filter = signal("");
  readonly search: TextSearch;
  readonly thumbnails: ThumbnailCache;
  /** The images that the filter lets through, or those of the ranking. */
  readonly order: ReadonlySignal<Order>;
  /** The images on screen, and the device pixels at which their heatmaps are painted. */
  readonly visible = signal<readonly string[]>([]);
  readonly heatmapPixels = signal(0);
  readonly #all: ReadonlySignal<Order>;
  /** Names and labels in lower case, to be searched for the filter's words. */
  readonly #haystack: ReadonlySignal<readonly string[]>;
  readonly #stop: () => void;
  readonly #catalogue: ReadonlySignal<Catalogue | null>;

  constructor(kernel: Kernel, catalogue: ReadonlySignal<Catalogue | null>, onError: (message: string) => void) {
    this.#catalogue = catalogue;
    this.search = new TextSearch(kernel);
    this.thumbnails = new ThumbnailCache(kernel, onError);
    this.#all = computed(() => new Order(catalogue.value?.images ?? []));
    this.#haystack = computed(() => {
      const { images = [], labels = [] } = catalogue.value ?? {};
      return images.map((id, i) => `${id} ${labels[i] ?? ""}`.toLowerCase());
    });
    this.order = computed(() => this.#ordered());
    const { template, centred, similarity } = kernel.settings;
    let ranked = "";
    this.#stop = effect(() => {
      // These settings decide what a prompt means, and with it the ranking.
      const meaning = [template.value, centred.value, similarity.value].join();
      if (meaning !== ranked) this.search.again();
      ranked = meaning;
    });
  }

  #ordered(): Order {
    const all = this.#all.value;
    const ranking = this.search.ranking.value;
    if (ranking) return new Order(ranking.images.filter((id) => all.has(id)));
    const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    if (!words.length) return all;
    const haystack = this.#haystack.value;
    return new Order(all.ids.filter((_, i) => words.every((word) => haystack[i]?.includes(word))));
  }

  label(image: string): string | null {
    return this.#catalogue.value?.labels[this.#all.value.indexOf(image)] ?? null;
  }

  caption(image: string): string | null {
    return this.#catalogue.value?.captions[this.#all.value.indexOf(image)] ?? null;
  }

  dispose(): void {
    this.#stop();
    this.search.dispose();
    this.thumbnails.dispose();
  }
}
