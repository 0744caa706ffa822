import type { Size } from "../engine/geometry";

/** Writes the inner size of an element to a signal, at once and at every change. Returns a function that stops it. */
export function observeSize(
  element: HTMLElement | null,
  area: { value: Size; peek(): Size },
): (() => void) | undefined {
  if (!element) return;
  const measure = () => {
    const width = element.clientWidth;
    // Without its style sheet a list is as high as its content: no more than a tall screen is laid out.
    const height = Math.min(element.clientHeight, 4096);
    const before = area.peek();
    if (before.width !== width || before.height !== height) area.value = { width, height };
  };
  measure();
  const observer = new ResizeObserver(measure);
  observer.observe(element);
  return () => observer.disconnect();
}
