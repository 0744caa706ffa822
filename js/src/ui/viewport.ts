import { effect } from "@preact/signals";
import type { Notice } from "../kernel/kernel";
import type { Store } from "../store";

const SIZE_STEP = 32;

/** Sizes in steps: a window that is being resized would otherwise ask for new heatmaps at every pixel. */
const stepped = (pixels: number) => Math.ceil(pixels / SIZE_STEP) * SIZE_STEP;

/** Reports what this view shows: once per frame at most, and only what differs. Returns a function that stops it. */
export function reportViewport(store: Store): () => void {
  let frame = 0;
  let sent = "";
  const send = () => {
    frame = 0;
    const body: Notice = {
      kind: "watch",
      explicands: stepped(Math.max(store.explicands.heatmapPixels.peek(), store.insight.heatmapPixels.peek())),
      gallery: store.settings.gallery_heatmaps.peek() ? stepped(store.gallery.heatmapPixels.peek()) : 0,
      visible: [...store.gallery.visible.peek()],
    };
    const text = JSON.stringify(body);
    if (text === sent) return;
    sent = text;
    store.kernel.tell(body);
  };
  const stop = effect(() => {
    const sizes = [
      store.explicands.heatmapPixels.value,
      store.insight.heatmapPixels.value,
      store.gallery.heatmapPixels.value,
    ];
    const known = store.session.catalogue.value && sizes && store.gallery.visible.value;
    store.settings.gallery_heatmaps.value;
    if (known && !frame) frame = requestAnimationFrame(send);
  });
  return () => {
    stop();
    cancelAnimationFrame(frame);
  };
}
