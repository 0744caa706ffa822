const MARGIN = 8;

/**
 * The page cuts off what sticks out of it: a list opens where there is more room, is moved to the left, and scrolls, as far
 * as it must.
 */
export function keepInside(list: HTMLElement | null): void {
  const root = list?.closest(".cocoa")?.getBoundingClientRect();
  const holder = list?.parentElement?.getBoundingClientRect();
  if (!list || !root || !holder) return;
  list.style.maxWidth = `${root.width - 2 * MARGIN}px`;
  const { top, left, right, height } = list.getBoundingClientRect();
  const below = root.bottom - MARGIN - top;
  const above = holder.top - (top - holder.bottom) - root.top - MARGIN;
  const upwards = height > below && above > below;
  list.style.maxHeight = `${Math.max(0, upwards ? above : below)}px`;
  if (upwards) {
    list.style.top = "auto";
    list.style.bottom = `calc(100% + ${top - holder.bottom}px)`;
  }
  const excess = Math.min(right + MARGIN - root.right, left - MARGIN - root.left);
  if (excess > 0) list.style.marginLeft = `${-excess}px`;
}
