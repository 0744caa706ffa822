import { computed, effect } from "@preact/signals";
import type { Notice } from "../kernel/kernel";
import type { Store } from "../store";

const SIZE_STEP = 32;
/** How long the page waits for an idle kernel to send what a heatmap needs, before it asks for all of it again. */
const PATIENCE_MS = 10_000;

/** Sizes in steps: a window that is being resized would otherwise ask for new heatmaps at every pixel. */
const stepped = (pixels: number) => Math.ceil(pixels / SIZE_STEP) * SIZE_STEP;

/**
 * Reports what this view shows: once per frame at most, and only what differs. Products are asked for again when some may
 * have been lost. Returns a function that stops it.
 */
export function reportViewport(store: Store): () => void {
  let frame = 0;
  let sent = "";
  let renew = true; // a new view has no products
  const send = () => {
    frame = 0;
    const open = store.insight.enlarged.peek()?.image;
    const enlarged = open !== undefined && store.bins.orders.explicands.peek().has(open) ? [open] : [];
    const body = {
      kind: "watch",
      explicands: stepped(Math.max(store.explicands.heatmapPixels.peek(), store.insight.heatmapPixels.peek())),
      gallery: store.settings.gallery_heatmaps.peek() ? stepped(store.gallery.heatmapPixels.peek()) : 0,
      visible: [...store.gallery.visible.peek()],
      seen: [...new Set([...store.explicands.seen.peek(), ...enlarged])],
      cells_of: store.explicands.pointing.image.peek(),
    } satisfies Omit<Notice & { kind: "watch" }, "renew">;
    const text = JSON.stringify(body);
    if (text === sent && !renew) return;
    store.kernel.tell({ ...body, renew });
    store.explicands.heatmaps.keepCells(body.cells_of);
    sent = text;
    renew = false;
  };
  const sendSoon = () => {
    if (!frame) frame = requestAnimationFrame(send);
  };
  const renewAll = () => {
    renew = true;
    sendSoon();
  };
  const stops = [
    effect(() => {
      const sizes = [
        store.explicands.heatmapPixels.value,
        store.insight.heatmapPixels.value,
        store.gallery.heatmapPixels.value,
      ];
      const known = store.session.catalogue.value && sizes && store.gallery.visible.value;
      store.explicands.seen.value;
      store.insight.enlarged.value;
      store.settings.gallery_heatmaps.value;
      store.explicands.pointing.image.value;
      if (known) sendSoon();
    }),
    renewAfterSilence(store, renewAll),
    renewWhatIsMissing(store, renewAll),
  ];
  return () => {
    for (const stop of stops) stop();
    cancelAnimationFrame(frame);
  };
}

/** Calls `renew` when a kernel that was silent or gone answers again: messages may have been lost meanwhile. */
function renewAfterSilence({ kernel, session }: Store, renew: () => void): () => void {
  let before = kernel.state.peek();
  return effect(() => {
    const now = kernel.state.value;
    if (now === "live" && before !== "live" && session.catalogue.peek()) renew();
    before = now;
  });
}

/** Calls `renew` while an idle kernel leaves an explicand without a heatmap, at first often and then less. */
function renewWhatIsMissing({ kernel, session, explicands }: Store, renew: () => void): () => void {
  const missing = computed(() => {
    const idle = kernel.state.value === "live" && session.status.value !== null && session.status.value.task === null;
    return idle && explicands.incomplete.value;
  });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const wait = (patience: number) => {
    timer = setTimeout(() => {
      renew();
      wait(2 * patience);
    }, patience);
  };
  const stop = effect(() => {
    clearTimeout(timer);
    if (missing.value) wait(PATIENCE_MS);
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
