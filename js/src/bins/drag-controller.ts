import { batch } from "@preact/signals";
import type { Store } from "../store";
import { carriedFrom, moveImages } from "./actions";
import type { Region } from "./bins";
import { type DragEvent, LONG_PRESS_MS, type Point, reduceDrag } from "./drag";

const EDGE = 44;
const MAX_SCROLL_PER_FRAME = 16;
const HOLD_AGAIN_MS = 1000;

/**
 * Dragging by pointer events only: native drag and drop resolves its targets at the document and so fails in shadow roots
 * (marimo), and mouse, touch and pen would be different code.
 */
export class DragController {
  #pointer = -1;
  #longPress: ReturnType<typeof setTimeout> | undefined;
  #scrolling = 0;
  #holding: ReturnType<typeof setInterval> | undefined;
  #dragging: AbortController | null = null;
  /** A click follows the release of a drag; it must not select. */
  #swallowClick = false;
  readonly #store: Store;
  readonly #root: HTMLElement;

  constructor(store: Store, root: HTMLElement, signal: AbortSignal) {
    this.#store = store;
    this.#root = root;
    const options = { signal };
    root.addEventListener("pointerdown", this.#down, options);
    root.addEventListener("pointermove", this.#move, options);
    root.addEventListener("pointerup", this.#up, options);
    root.addEventListener("pointercancel", this.#cancel, options);
    root.addEventListener("click", this.#click, { signal, capture: true });
    root.addEventListener("dragstart", (event) => event.preventDefault(), options);
    root.addEventListener("contextmenu", this.#contextMenu, options);
    // Once an image is lifted by touch, the finger drags it and must not scroll the page as well.
    root.addEventListener("touchmove", this.#touchMove, { signal, passive: false });
    window.addEventListener("blur", this.#cancel, options);
    signal.addEventListener("abort", this.#cancel);
  }

  #reduce(event: DragEvent): void {
    const before = this.#store.bins.drag.peek();
    const after = reduceDrag(before, event);
    if (after === before) return;
    this.#store.bins.drag.value = after;
    if (after.phase === "dragging" && before.phase !== "dragging") this.#lift();
    if (after.phase === "idle") this.#release();
  }

  #down = (event: PointerEvent): void => {
    this.#swallowClick = false;
    if (event.button !== 0 || !event.isPrimary) return;
    const target = event.target as Element;
    const tile = target.closest<HTMLElement>("[data-image-id]");
    const region = regionOf(tile);
    if (!tile?.dataset.imageId || !region || target.closest("button")) return;
    const touch = event.pointerType === "touch";
    this.#pointer = event.pointerId;
    this.#reduce({ type: "down", touch, at: pointOf(event), region, image: tile.dataset.imageId });
    if (touch) this.#longPress = setTimeout(this.#hold, LONG_PRESS_MS);
  };

  #hold = (): void => {
    this.#reduce({ type: "hold", carried: this.#carried });
    if (this.#store.bins.drag.peek().phase === "dragging") navigator.vibrate?.(10);
  };

  #move = (event: PointerEvent): void => {
    if (event.pointerId !== this.#pointer || this.#store.bins.drag.peek().phase === "idle") return;
    if (event.buttons === 0) return this.#cancel(); // released outside of the window
    const at = pointOf(event);
    this.#reduce({ type: "move", at, over: this.#regionAt(at), carried: this.#carried });
  };

  #up = (event: PointerEvent): void => {
    if (event.pointerId !== this.#pointer) return;
    const drag = this.#store.bins.drag.peek();
    const over = drag.phase === "dragging" ? this.#regionAt(pointOf(event)) : null;
    this.#swallowClick = drag.phase === "dragging";
    // In one step: heatmaps go from what the drop would do to what it does, and not back in between.
    batch(() => {
      this.#reduce({ type: "end" });
      if (drag.phase === "dragging" && over) moveImages(this.#store, drag.images, drag.region, over);
    });
  };

  #cancel = (): void => {
    if (this.#store.bins.drag.peek().phase !== "idle") this.#reduce({ type: "end" });
  };

  #click = (event: MouseEvent): void => {
    if (!this.#swallowClick) return;
    this.#swallowClick = false;
    event.stopPropagation();
    event.preventDefault();
  };

  #touchMove = (event: TouchEvent): void => {
    if (this.#store.bins.drag.peek().phase === "dragging" && event.cancelable) event.preventDefault();
  };

  #contextMenu = (event: MouseEvent): void => {
    if (this.#store.bins.drag.peek().phase !== "idle" && this.#longPress !== undefined) event.preventDefault();
  };

  #carried = (image: string): readonly string[] => {
    const drag = this.#store.bins.drag.peek();
    return drag.phase === "pressed" ? carriedFrom(this.#store, drag.region, image) : [image];
  };

  #lift(): void {
    // Only now that the drag has begun: before, capture would take the click away from the tile.
    try {
      this.#root.setPointerCapture(this.#pointer);
    } catch {
      // The pointer is gone, or comes from a script; the drag goes on without capture.
    }
    // The kernel pauses its preparation, which would slow down the drag and the answer to the drop.
    const hold = () => this.#store.kernel.tell({ kind: "hold" });
    hold();
    this.#holding = setInterval(hold, HOLD_AGAIN_MS);
    const dragging = new AbortController();
    this.#dragging = dragging;
    const onEscape = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.preventDefault();
      event.stopPropagation();
      this.#cancel();
      this.#swallowClick = true;
    };
    document.addEventListener("keydown", onEscape, { capture: true, signal: dragging.signal });
    this.#scrolling = requestAnimationFrame(this.#autoScroll);
  }

  #release(): void {
    clearTimeout(this.#longPress);
    this.#longPress = undefined;
    cancelAnimationFrame(this.#scrolling);
    clearInterval(this.#holding);
    this.#dragging?.abort();
    this.#dragging = null;
    if (this.#root.hasPointerCapture(this.#pointer)) this.#root.releasePointerCapture(this.#pointer);
    this.#pointer = -1;
  }

  /** Scrolls a list while the pointer is near its upper or lower edge: the nearer, the faster. */
  #autoScroll = (): void => {
    const drag = this.#store.bins.drag.peek();
    if (drag.phase !== "dragging") return;
    for (let node = this.#elementAt(drag.at); node && node !== this.#root; node = node.parentElement) {
      if (node.scrollHeight <= node.clientHeight + 1 || !(node instanceof HTMLElement)) continue;
      const { top, bottom } = node.getBoundingClientRect();
      const up = Math.max(0, EDGE - (drag.at.y - top));
      const down = Math.max(0, EDGE - (bottom - drag.at.y));
      if (up || down) node.scrollTop += ((down - up) / EDGE) * MAX_SCROLL_PER_FRAME;
      break;
    }
    this.#scrolling = requestAnimationFrame(this.#autoScroll);
  };

  #elementAt({ x, y }: Point): Element | null {
    const element = (this.#root.getRootNode() as Document | ShadowRoot).elementFromPoint(x, y);
    return element && this.#root.contains(element) ? element : null;
  }

  #regionAt(point: Point): Region | null {
    return regionOf(this.#elementAt(point));
  }
}

const pointOf = (event: PointerEvent): Point => ({ x: event.clientX, y: event.clientY });

export function regionOf(element: Element | null): Region | null {
  return (element?.closest<HTMLElement>("[data-bin]")?.dataset.bin as Region | undefined) ?? null;
}
