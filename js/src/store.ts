import { effect, type ReadonlySignal, untracked } from "@preact/signals";
import { restore } from "./bins/actions";
import { BINS, type Region } from "./bins/bins";
import { BinsState } from "./bins/bins-state";
import { isText, promptOf } from "./bins/texts";
import { ExplicandsState } from "./explicands/explicands-state";
import { GalleryState } from "./gallery/gallery-state";
import { InsightState } from "./insight/insight-state";
import type { Kernel, Report, SettingSignals } from "./kernel/kernel";
import { Session } from "./kernel/session";
import type { Order } from "./ui/order";
import { pruned } from "./ui/selection";
import { TilesState } from "./ui/tiles-state";
import { UiState } from "./ui/ui-state";

/** All state of one view, composed of the rooms'. Views share nothing but what goes through the kernel. */
export class Store {
  readonly settings: SettingSignals;
  readonly session: Session;
  readonly ui: UiState;
  readonly tiles = new TilesState();
  readonly gallery: GalleryState;
  readonly bins: BinsState;
  readonly explicands: ExplicandsState;
  readonly insight: InsightState;
  readonly #stops: (() => void)[];

  constructor(
    readonly kernel: Kernel,
    dark: ReadonlySignal<boolean>,
  ) {
    this.settings = kernel.settings;
    this.session = new Session(kernel);
    const { catalogue } = this.session;
    this.ui = new UiState(dark);
    this.gallery = new GalleryState(kernel, catalogue, (message) => {
      if (kernel.state.peek() !== "closed") this.ui.report(message);
    });
    this.bins = new BinsState(kernel, catalogue);
    this.explicands = new ExplicandsState(kernel, this.bins);
    this.insight = new InsightState(kernel, this.explicands);
    this.#stops = [
      effect(() => {
        const { region, ids } = this.tiles.selection.value;
        if (ids.size) this.tiles.selection.value = pruned(this.tiles.selection.peek(), this.#order(region).value);
      }),
      effect(() => {
        if (kernel.state.value === "closed") untracked(() => this.session.close());
      }),
      effect(() => {
        if (this.settings.restore.value && this.bins.restoring.offer.value) untracked(() => restore(this));
      }),
    ];
    kernel.listen(this.#hear);
    this.session.open();
  }

  #hear = (report: Report, buffers: DataView[]): void => {
    try {
      if (report.kind === "heatmaps") this.explicands.receive(report, buffers);
      else if (report.kind === "products") this.explicands.take(report, buffers);
      else if (report.kind === "stability") this.insight.stability.receive(report);
      else if (report.kind === "status") this.session.status.value = report;
      else this.ui.report(report.message);
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
    if (this.explicands.waiting.value.includes(image)) words.push("not encoded yet");
    return words.join(", ");
  }

  dispose(): void {
    for (const stop of this.#stops) stop();
    this.insight.dispose();
    this.gallery.dispose();
    this.bins.dispose();
    this.explicands.dispose();
    this.kernel.close();
  }
}
