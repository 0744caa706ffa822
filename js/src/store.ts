import { effect, type ReadonlySignal, signal, untracked } from "@preact/signals";
import { BINS, type Region } from "./bins/bins";
import { BinsState } from "./bins/bins-state";
import { isText, promptOf } from "./bins/texts";
import { ExplicandsState } from "./explicands/explicands-state";
import { GalleryState } from "./gallery/gallery-state";
import { InsightState } from "./insight/insight-state";
import { Connection, type KernelEvent } from "./kernel/connection";
import { Liveness, NO_KERNEL } from "./kernel/liveness";
import type { Model } from "./kernel/protocol";
import { Session } from "./kernel/session";
import { TraitMirror, type TraitSignals } from "./kernel/traits";
import type { Order } from "./ui/order";
import { pruned } from "./ui/selection";
import { TilesState } from "./ui/tiles-state";
import { UiState } from "./ui/ui-state";

/** All state of one view, composed of the rooms'. Views share nothing but what goes through the model. */
export class Store {
  readonly kernel: Liveness;
  readonly connection: Connection;
  readonly traits: TraitMirror;
  readonly t: TraitSignals;
  readonly session: Session;
  readonly ui: UiState;
  readonly tiles = new TilesState();
  readonly gallery: GalleryState;
  readonly bins: BinsState;
  readonly explicands: ExplicandsState;
  readonly insight: InsightState;
  /** Grows when the kernel has to be sent again what this view shows. */
  readonly rewatch = signal(0);
  readonly #stops: (() => void)[];

  constructor(model: Model, dark: ReadonlySignal<boolean>) {
    this.kernel = new Liveness(model);
    this.connection = new Connection(model, this.#hear, this.kernel);
    this.traits = new TraitMirror(model, () => this.connection.save());
    this.t = this.traits.signals;
    this.session = new Session(this.connection);
    const { catalogue } = this.session;
    this.ui = new UiState(dark);
    this.gallery = new GalleryState(this.connection, catalogue, this.t, (message) => {
      if (!this.kernel.closed) this.ui.report(message);
    });
    this.bins = new BinsState(this.t, catalogue);
    this.explicands = new ExplicandsState(this.t, this.bins.orders.explicands, this.kernel.state);
    this.insight = new InsightState(this.connection, this.explicands.heatmaps);
    this.#stops = [
      effect(() => {
        const { region, ids } = this.tiles.selection.value;
        if (ids.size) this.tiles.selection.value = pruned(this.tiles.selection.peek(), this.#order(region).value);
      }),
      effect(() => {
        if (this.kernel.state.value === "closed") untracked(() => this.#settleWithoutKernel());
      }),
    ];
    this.kernel.start(() => this.#ping());
    this.session.open();
  }

  #settleWithoutKernel(): void {
    this.connection.fail(NO_KERNEL);
    this.session.close();
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

  #hear = (event: KernelEvent, buffers: DataView[]): void => {
    try {
      if (event.kind === "heatmaps") this.explicands.receive(event, buffers);
      else if (event.kind === "reliability") this.insight.stability.receive(event);
      else if (event.kind === "status") this.session.status.value = event;
      else if (event.kind === "history") this.session.history.value = event;
      else this.ui.report(event.message);
    } catch (error) {
      this.ui.report((error as Error).message);
    }
  };

  #order(region: Region): ReadonlySignal<Order> {
    return region === "gallery" ? this.gallery.order : this.bins.orders[region];
  }

  /** The tiles of a region, in the order that the page shows. */
  order(region: Region): Order {
    return this.#order(region).peek();
  }

  /** Everything known about an image, in words. */
  describe(image: string): string {
    const words = [isText(image) ? `text “${promptOf(image)}”` : image];
    const label = this.gallery.label(image);
    if (label && label !== image) words.push(`label ${label}`);
    for (const bin of BINS) {
      if (this.bins.has(bin, image)) words.push(bin === "explicands" ? "explained" : `in ${bin}`);
    }
    return words.join(", ");
  }

  dispose(): void {
    for (const stop of this.#stops) stop();
    this.insight.dispose();
    this.traits.dispose();
    this.gallery.dispose();
    this.bins.dispose();
    this.explicands.dispose();
    this.connection.close();
    this.kernel.dispose();
  }
}
