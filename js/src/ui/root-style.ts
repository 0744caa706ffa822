import { effect } from "@preact/signals";
import { accents, colormapNamed } from "../engine/colormaps";
import type { Store } from "../store";

/** Below these widths the page stacks, the toolbar has two rows when it is unfolded, and it gets tighter. */
const NARROW = 900;
const FOLDED = 1100;
const COMPACT = 1240;

/** The range of heights that the kernel accepts. */
const [LOWEST, HIGHEST] = [320, 4096];

/**
 * Keeps attributes and properties on the root that the style sheet reads. Plain effects run at once: a gallery without its
 * height would lay out all of its images.
 */
export function styleRoot(store: Store, root: HTMLElement): () => void {
  const { settings, kernel } = store;
  const { dark } = store.ui;
  const { drag } = store.bins;
  const stops = [
    effect(() => {
      root.dataset.theme = dark.value ? "dark" : "light";
      const { corpus, foil } = accents(colormapNamed(settings.colormap.value), dark.value);
      root.style.setProperty("--corpus-rgb", corpus.join(" "));
      root.style.setProperty("--foil-rgb", foil.join(" "));
    }),
    effect(() => root.style.setProperty("--heat-opacity", String(settings.opacity.value))),
    effect(() => {
      root.dataset.look = settings.look.value;
    }),
    effect(() => {
      root.style.height = `${settings.height.value}px`;
    }),
    effect(() => {
      root.toggleAttribute("data-dragging", drag.value.phase === "dragging");
    }),
    effect(() => {
      root.dataset.kernel = kernel.state.value;
    }),
    followSize(store, root),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}

/** Marks the root by the width of the page, and keeps the height that the user sets with the resize handle. */
function followSize({ settings, kernel }: Store, root: HTMLElement): () => void {
  const update = () => {
    root.dataset.layout = root.clientWidth > 0 && root.clientWidth < NARROW ? "narrow" : "wide";
    root.toggleAttribute("data-compact", root.clientWidth < COMPACT);
    root.toggleAttribute("data-folded", root.clientWidth < FOLDED);
    const height = Math.round(Number.parseFloat(root.style.height));
    if (height >= LOWEST && height <= HIGHEST && height !== Math.round(settings.height.peek()))
      kernel.changeSoon({ height });
  };
  update();
  const observer = new ResizeObserver(update);
  observer.observe(root);
  return () => observer.disconnect();
}
