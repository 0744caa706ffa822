import { effect } from "@preact/signals";
import type { Place } from "../engine/cells";
import type { Store } from "../store";
import { obstacle } from "./where-else";

/**
 * Pointing at places of explicands: by hovering while Shift is held, which events of the pointer say wherever the focus is;
 * and in a pinned explicand by hovering, tapping or dragging.
 */
export class PointController {
  readonly #store: Store;
  /** The place under the pointer. */
  #under: Place | null = null;

  constructor(store: Store, root: HTMLElement, signal: AbortSignal) {
    this.#store = store;
    const options = { signal };
    root.addEventListener("pointermove", this.#move, options);
    root.addEventListener("pointerleave", this.#leave, options);
    // Before a drag begins, or a click enlarges the tile.
    root.addEventListener("pointerdown", this.#down, { signal, capture: true });
    root.addEventListener("click", this.#click, { signal, capture: true });
    document.addEventListener("keydown", this.#key, options);
    document.addEventListener("keyup", this.#key, options);
    window.addEventListener("blur", this.#leave, options);
    const { pointing } = store.explicands;
    const stop = effect(() => {
      if (store.insight.enlarged.value) pointing.leave();
      const shown = pointing.place.value !== null && pointing.grid.value !== null;
      if (shown) root.dataset.pointing = pointing.pinned.value === null ? "held" : "pinned";
      else delete root.dataset.pointing;
    });
    signal.addEventListener("abort", stop);
  }

  #hover(held: boolean): void {
    const { pointing } = this.#store.explicands;
    const possible =
      this.#under && (pointing.pinned.peek() !== null || !held || !obstacle(this.#store, this.#under.image));
    pointing.hover(possible ? this.#under : null, held);
  }

  #key = (event: KeyboardEvent): void => {
    const pressed = event.type === "keydown";
    if (event.key === "Shift" && !(pressed && isTyping(event))) this.#hover(pressed);
  };

  #move = (event: PointerEvent): void => {
    this.#under = placeOf(event);
    if (this.#under || this.#store.explicands.pointing.image.peek() !== null) this.#hover(event.shiftKey);
  };

  #leave = (): void => {
    this.#under = null;
    this.#hover(false);
  };

  #down = (event: PointerEvent): void => {
    if (!this.#isPinned(event)) return;
    event.stopPropagation();
    this.#move(event);
  };

  #click = (event: MouseEvent): void => {
    if (this.#isPinned(event)) event.stopPropagation();
  };

  #isPinned(event: MouseEvent): boolean {
    return placeOf(event)?.image === this.#store.explicands.pointing.pinned.peek();
  }
}

/** Whether a key goes to a text, also that of a notebook's cell. */
function isTyping(event: KeyboardEvent): boolean {
  const [target] = event.composedPath();
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea"));
}

/** The place of an explicand at which an event happened; null anywhere else. */
function placeOf(event: MouseEvent): Place | null {
  const target = event.target as Element;
  const frame = target.closest("[data-bin=explicands] .probe");
  const image = target.closest<HTMLElement>("[data-image-id]")?.dataset.imageId;
  if (!frame || image === undefined) return null;
  const { left, top, width, height } = frame.getBoundingClientRect();
  return { image, x: (event.clientX - left) / width, y: (event.clientY - top) / height };
}
