import { effect } from "@preact/signals";
import type { RequestBody } from "../kernel/protocol";
import type { Store } from "../store";

const SIZE_STEP = 32;

/** Sizes in steps: a window that is being resized would otherwise ask for new heatmaps at every pixel. */
const stepped = (pixels: number) => Math.ceil(pixels / SIZE_STEP) * SIZE_STEP;

/**
 * Reports to the kernel what this view shows: once per frame at most, and only what differs; all of it again when the kernel
 * does not know the view, or the page comes back from where browsers keep those that were left. Returns the way to stop.
 */
export function watchView(store: Store): () => void {
  let frame = 0;
  let sent = "";
  const send = () => {
    frame = 0;
    const body: RequestBody = {
      kind: "watch",
      explicands: stepped(Math.max(store.explicands.heatmapPixels.peek(), store.insight.heatmapPixels.peek())),
      gallery: store.t.gallery_heatmaps.peek() ? stepped(store.gallery.heatmapPixels.peek()) : 0,
      visible: [...store.gallery.visible.peek()],
    };
    const text = JSON.stringify([body, store.rewatch.peek()]);
    if (text === sent) return;
    sent = text;
    store.connection.notify(body);
  };
  const stop = effect(() => {
    const sizes = [
      store.explicands.heatmapPixels.value,
      store.insight.heatmapPixels.value,
      store.gallery.heatmapPixels.value,
    ];
    const known = store.session.catalogue.value && sizes && store.gallery.visible.value;
    store.t.gallery_heatmaps.value;
    store.rewatch.value;
    if (known && !frame) frame = requestAnimationFrame(send);
  });
  const leaving = new AbortController();
  const leave = () => store.connection.notify({ kind: "leave" });
  window.addEventListener("pagehide", leave, leaving);
  window.addEventListener("pageshow", (event) => event.persisted && store.watchAgain(), leaving);
  return () => {
    stop();
    leaving.abort();
    cancelAnimationFrame(frame);
  };
}
