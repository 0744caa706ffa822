const MARGIN = 8;

/**
 * Keeps an open list inside the page, which cuts off what sticks out: the list opens where there is more room, moves to the
 * side, and scrolls, as far as necessary.
 */
export function keepInside(list: HTMLElement | null): void {
  const root = list?.closest<HTMLElement>(".cocoa");
  const holder = list?.parentElement?.getBoundingClientRect();
  if (!list || !root || !holder) return;
  const room = roomOf(list, root);
  list.style.maxWidth = `${room.right - room.left}px`;
  const { top, left, right, height } = list.getBoundingClientRect();
  const gap = top - holder.bottom;
  const [below, above] = [room.bottom - top, holder.top - gap - room.top];
  const upwards = height > below && above > below;
  list.style.maxHeight = `${Math.max(0, upwards ? above : below)}px`;
  if (upwards) {
    list.style.top = "auto";
    list.style.bottom = `calc(100% + ${gap}px)`;
  }
  const shift = right > room.right ? Math.max(room.right - right, room.left - left) : Math.max(0, room.left - left);
  // Not `transform`, which is animated when the list appears.
  if (shift) list.style.translate = `${shift}px 0`;
}

/** The room for a list: the page without its margin, and of that only what lies inside the part that scrolls. */
function roomOf(list: HTMLElement, root: HTMLElement): { top: number; bottom: number; left: number; right: number } {
  const { top, bottom, left, right } = root.getBoundingClientRect();
  const main = list.closest(".main");
  const clip = main && getComputedStyle(main).overflowY !== "visible" ? main.getBoundingClientRect() : null;
  return {
    top: Math.max(top, clip?.top ?? top) + MARGIN,
    bottom: Math.min(bottom, clip?.bottom ?? bottom) - MARGIN,
    left: left + MARGIN,
    right: right - MARGIN,
  };
}
