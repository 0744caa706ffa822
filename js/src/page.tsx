import { effect } from "@preact/signals";
import { render as mount } from "preact";
import { App } from "./App";
import { DragController } from "./bins/drag-controller";
import { StoreContext } from "./context";
import { PointController } from "./explicands/point-controller";
import { announcePlaces } from "./explicands/where-else";
import type { Kernel } from "./kernel/kernel";
import { Store } from "./store";
import { handleKey } from "./ui/keyboard";
import { styleRoot } from "./ui/root-style";
import { watchTheme } from "./ui/theme";
import { reportViewport } from "./ui/viewport";

/** Shows the page in `el`: one store, one element. Returns the function that takes it away, which `signal` does as well. */
export function showPage(kernel: Kernel, el: HTMLElement, signal?: AbortSignal): () => void {
  const abort = new AbortController();
  const root = document.createElement("div");
  root.className = "cocoa";
  root.dataset.cocoa = "";
  // A group, not a landmark: the notebook has its own landmarks, and may show several widgets.
  root.setAttribute("role", "group");
  root.setAttribute("aria-label", "COCOA");
  el.append(root);

  const store = new Store(kernel, watchTheme(el, abort.signal));
  const stops = [styleRoot(store, root), trackState(store, root), reportViewport(store), announcePlaces(store)];
  new DragController(store, root, abort.signal);
  new PointController(store, root, abort.signal);
  listen(store, root, abort.signal);
  mount(
    <StoreContext.Provider value={store}>
      <App root={root} />
    </StoreContext.Provider>,
    root,
  );

  const cleanup = () => {
    if (abort.signal.aborted) return;
    abort.abort();
    for (const stop of stops) stop();
    mount(null, root);
    store.dispose();
    root.remove();
  };
  signal?.addEventListener("abort", cleanup, { signal: abort.signal });
  return cleanup;
}

/** Keeps attributes on the root that tests and scripts can wait for. */
function trackState(store: Store, root: HTMLElement): () => void {
  root.dataset.state = "loading";
  let frame = 0;
  const stopState = effect(() => {
    const failed = store.session.failure.value !== null;
    const ready = store.session.catalogue.value !== null && store.ui.unpainted.value === 0;
    cancelAnimationFrame(frame);
    if (failed || !ready) root.dataset.state = failed ? "error" : "loading";
    // Ready only when it stays so for two frames: tiles that are about to be mounted have not been counted yet.
    else frame = requestAnimationFrame(() => requestAnimationFrame(() => settle()));
  });
  const settle = () => {
    if (store.ui.unpainted.peek() === 0 && store.session.failure.peek() === null) root.dataset.state = "ready";
  };
  const stopScale = effect(() => {
    root.dataset.scale = store.explicands.heatmaps.scale.settled.value ? "settled" : "moving";
  });
  const stopVersion = effect(() => {
    root.dataset.version = String(store.explicands.heatmaps.repaints.value);
    root.dataset.heatmapVersion = String(store.explicands.heatmaps.version.value);
    root.dataset.waiting = String(store.explicands.waiting.value.length);
  });
  return () => {
    cancelAnimationFrame(frame);
    stopState();
    stopScale();
    stopVersion();
  };
}

/** Keeps keys and shifted clicks from the notebook around the widget. */
function listen(store: Store, root: HTMLElement, signal: AbortSignal): void {
  const onKey = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.defaultPrevented || !handleKey(store, event)) return;
    event.preventDefault();
  };
  root.addEventListener("keydown", onKey, { signal });
  // A shifted mousedown would extend the notebook's cell selection.
  root.addEventListener("mousedown", (event) => event.shiftKey && event.stopPropagation(), { signal });
}
