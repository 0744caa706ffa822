import { computed, effect, type ReadonlySignal, type Signal, signal, untracked } from "@preact/signals";
import { BINS, type Bin, type Bins, equal, type Region } from "./bins/bins";
import type { Drag } from "./bins/drag";
import { Restoring } from "./bins/restoring";
import { arranged, isText, promptOf } from "./bins/texts";
import { HeatmapLayer } from "./explicands/heatmaps";
import { TextSearch } from "./gallery/search";
import { ThumbnailCache } from "./gallery/thumbnails";
import { Insight } from "./insight/insight";
import { SurenessKeeper } from "./insight/stability";
import { Connection, type KernelEvent } from "./kernel/connection";
import { Liveness, NO_KERNEL } from "./kernel/liveness";
import type { Catalogue, History, Model, Status } from "./kernel/protocol";
import { TraitMirror, type TraitSignals } from "./kernel/traits";
import type { Rows } from "./ui/rows";
import { NOTHING_SELECTED, pruned, type Selection } from "./ui/selection";

/** The layout of a scrolling grid of tiles, as the keyboard needs it. */
export interface GridShape {
  rows: Rows;
  rowsPerPage: number;
}

export interface Probe {
  image: string;
  value: number;
}

const HELLO_AGAIN_MS = 3_000;

/** All state of one view. Nothing here is shared between views but what goes through the model. */
export class Store {
  readonly kernel: Liveness;
  readonly connection: Connection;
  readonly traits: TraitMirror;
  readonly t: TraitSignals;
  readonly thumbnails: ThumbnailCache;
  readonly heatmaps: HeatmapLayer;
  readonly sureness: SurenessKeeper;
  readonly insight: Insight;
  readonly restoring: Restoring;

  readonly catalogue = signal<Catalogue | null>(null);
  readonly status = signal<Status | null>(null);
  readonly history = signal<History>({ kind: "history", undo: null, redo: null });
  /** Grows when the kernel has to be sent again what this view shows. */
  readonly rewatch = signal(0);
  /** The kernel has let the first message wait. */
  readonly waiting = signal(false);
  readonly failure = signal<string | null>(null);
  readonly errors = signal<readonly string[]>([]);
  readonly announcement = signal("");

  readonly selection = signal<Selection>(NOTHING_SELECTED);
  /** The tile of each region that Tab comes to. */
  readonly focused: Record<Region, Signal<string | null>> = {
    gallery: signal(null),
    corpus: signal(null),
    foil: signal(null),
    explicands: signal(null),
  };
  /** A region that shall take the focus as soon as its tile is there. */
  readonly focusIntent = signal<Region | null>(null);
  readonly shapes = new Map<Region, GridShape>();
  readonly drag = signal<Drag>({ phase: "idle" });

  readonly filter = signal("");
  readonly search: TextSearch;
  readonly lightbox = signal<{ image: string; from: Region } | null>(null);
  readonly help = signal(false);
  readonly probe = signal<Probe | null>(null);

  readonly dark: ReadonlySignal<boolean>;
  /** Gallery images on screen, and the device pixels at which heatmaps are painted. */
  readonly visible = signal<readonly string[]>([]);
  readonly trayPixels = signal(0);
  readonly galleryPixels = signal(0);
  readonly lightboxPixels = signal(0);
  /** Pictures on screen that are not painted yet, one token each. */
  readonly unpainted = signal(0);

  readonly bins: ReadonlySignal<Bins>;
  readonly members: Record<Bin, ReadonlySignal<ReadonlySet<string>>>;
  /** The bins in the order that the page shows. */
  readonly arranged: Record<"corpus" | "foil", ReadonlySignal<readonly string[]>>;
  readonly galleryIds: ReadonlySignal<readonly string[]>;
  readonly #inGallery: ReadonlySignal<ReadonlySet<string>>;
  /** All that heatmaps depend on. */
  readonly #question: ReadonlySignal<readonly unknown[]>;
  readonly #position: ReadonlySignal<ReadonlyMap<string, number>>;
  readonly #haystack: ReadonlySignal<readonly string[]>;
  #ranked = "";
  /** The bins and settings of the page when the newest heatmaps came. */
  #answered: readonly unknown[] = [];
  #cleanups: (() => void)[] = [];

  constructor(model: Model, dark: ReadonlySignal<boolean>) {
    this.dark = dark;
    this.kernel = new Liveness(model);
    this.connection = new Connection(model, this.#hear, this.kernel);
    this.traits = new TraitMirror(model, () => this.connection.save());
    this.t = this.traits.signals;
    this.thumbnails = new ThumbnailCache(this.connection, (message) => {
      if (!this.kernel.closed) this.report(message);
    });
    this.heatmaps = new HeatmapLayer(
      (image) => this.members.explicands.peek().has(image),
      () => this.t.scale.peek() === "shared",
    );

    this.sureness = new SurenessKeeper(this.heatmaps.version);
    this.insight = new Insight(this.connection, this.heatmaps);
    this.search = new TextSearch(this.connection);

    this.bins = computed(() => ({
      corpus: this.t.corpus.value,
      foil: this.t.foil.value,
      explicands: this.t.explicands.value,
    }));
    this.restoring = new Restoring({ name: this.t.name, catalogue: this.catalogue, bins: this.bins });
    const memberOf = (bin: Bin) => computed(() => new Set(this.t[bin].value));
    this.members = { corpus: memberOf("corpus"), foil: memberOf("foil"), explicands: memberOf("explicands") };

    this.#position = computed(() => new Map(this.catalogue.value?.images.map((id, i) => [id, i])));
    this.#haystack = computed(() => {
      const { images = [], labels = [] } = this.catalogue.value ?? {};
      return images.map((id, i) => `${id} ${labels[i] ?? ""}`.toLowerCase());
    });
    this.arranged = {
      corpus: computed(() => arranged(this.t.corpus.value)),
      foil: computed(() => arranged(this.t.foil.value)),
    };
    this.galleryIds = computed(() => {
      const images = this.catalogue.value?.images ?? [];
      const ranking = this.search.ranking.value;
      if (ranking) return ranking.images.filter((id) => this.#position.value.has(id));
      const words = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      if (!words.length) return images;
      const haystack = this.#haystack.value;
      return images.filter((_, i) => words.every((word) => haystack[i]?.includes(word)));
    });
    this.#inGallery = computed(() => new Set(this.galleryIds.value));
    this.#question = computed(() => [
      ...[this.t.method, this.t.target, this.t.similarity, this.t.baseline].map(({ value }) => value),
      ...[this.t.layer.value, this.t.template.value, this.t.centred.value],
      ...[...this.t.corpus.value, "", ...this.t.foil.value],
    ]);

    this.#cleanups.push(
      effect(() => this.heatmaps.useColormap(this.t.colormap.value)),
      effect(() => {
        this.t.scale.value;
        this.heatmaps.repaint();
      }),
      effect(() => {
        // What a prompt means has changed, and with it the ranking.
        const asked = [this.t.template.value, this.t.centred.value, this.t.similarity.value].join();
        if (asked !== this.#ranked) this.search.again();
        this.#ranked = asked;
      }),
      effect(() => {
        const { region, ids } = this.selection.value;
        if (!ids.size) return;
        const shown = region === "gallery" ? this.#inGallery.value : this.members[region].value;
        this.selection.value = pruned(this.selection.peek(), shown);
      }),
      effect(() => {
        const silent = this.kernel.state.value === "silent";
        // They answer the bins of before, and the kernel may never answer these.
        if (silent && !equal(this.#question.value, this.#answered)) untracked(() => this.heatmaps.outdate());
      }),
      effect(() => {
        if (this.kernel.state.value === "closed") untracked(() => this.#settleWithoutKernel());
      }),
    );
    this.kernel.start(() => this.#ping());
    this.#greet();
  }

  /** Marks what is shown as old, and fails what still waits for an answer. */
  #settleWithoutKernel(): void {
    this.connection.fail(NO_KERNEL);
    this.heatmaps.outdate();
    this.status.value = null;
    this.history.value = { kind: "history", undo: null, redo: null };
    this.waiting.value = false;
  }

  async #ping(): Promise<void> {
    try {
      const reply = await this.connection.request({ kind: "ping" });
      if (reply.kind === "pong" && !reply.known) this.watchAgain();
    } catch {
      // The page shows by then that the kernel is gone.
    }
  }

  watchAgain(): void {
    this.rewatch.value = this.rewatch.peek() + 1;
  }

  async #greet(): Promise<void> {
    try {
      const reply = await this.connection.request(
        { kind: "hello" },
        {
          resend: HELLO_AGAIN_MS,
          onResend: () => {
            this.waiting.value = true;
          },
        },
      );
      if (reply.kind === "catalogue") this.catalogue.value = reply;
    } catch (error) {
      this.failure.value = (error as Error).message;
    }
    this.waiting.value = false;
  }

  #hear = (event: KernelEvent, buffers: DataView[]): void => {
    try {
      if (event.kind === "heatmaps") {
        if (event.version > this.heatmaps.version.peek()) this.#answered = this.#question.peek();
        this.heatmaps.receive(event, buffers);
      } else if (event.kind === "reliability") this.sureness.receive(event);
      else if (event.kind === "status") this.status.value = event;
      else if (event.kind === "history") this.history.value = event;
      else this.report(event.message);
    } catch (error) {
      this.report((error as Error).message);
    }
  };

  /** Shows a message until it is dismissed; the same one twice is shown once. */
  report(message: string): void {
    if (!this.errors.peek().includes(message)) this.errors.value = [...this.errors.peek().slice(-2), message];
  }

  announce(message: string): void {
    // A live region says nothing when its text does not change, so a repeated message differs by a blank.
    this.announcement.value = this.announcement.peek() === message ? `${message} ` : message;
  }

  order(region: Region): readonly string[] {
    if (region === "gallery") return this.galleryIds.peek();
    return region === "explicands" ? this.t.explicands.peek() : this.arranged[region].peek();
  }

  label(image: string): string | null {
    const position = this.#position.value.get(image);
    return position === undefined ? null : (this.catalogue.value?.labels[position] ?? null);
  }

  caption(image: string): string | null {
    const position = this.#position.value.get(image);
    return position === undefined ? null : (this.catalogue.value?.captions[position] ?? null);
  }

  /** Everything known about an image, in words. */
  describe(image: string): string {
    const words = [isText(image) ? `text “${promptOf(image)}”` : image];
    const label = this.label(image);
    if (label && label !== image) words.push(`label ${label}`);
    for (const bin of BINS) {
      if (this.members[bin].value.has(image)) words.push(bin === "explicands" ? "explained" : `in ${bin}`);
    }
    return words.join(", ");
  }

  dispose(): void {
    for (const cleanup of this.#cleanups) cleanup();
    this.insight.dispose();
    this.search.dispose();
    this.traits.dispose();
    this.thumbnails.dispose();
    this.restoring.dispose();
    this.connection.close();
    this.kernel.dispose();
  }
}
