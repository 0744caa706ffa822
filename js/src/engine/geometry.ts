import type { Frame } from "../kernel/protocol";

export interface Size {
  width: number;
  height: number;
}

export interface Rect extends Size {
  left: number;
  top: number;
}

/** How many cells of a width fit side by side. */
export const columnsIn = (width: number, cell: number, gap: number): number =>
  Math.max(1, Math.floor((width + gap) / (cell + gap)));

/** The places of a photograph and of the encoder's frame in a box, in CSS pixels; `stage` encloses both. */
export interface PhotoLayout {
  stage: Size;
  photo: Rect;
  frame: Rect;
}

/** The largest box of the given aspect (width / height) that fits, in whole pixels. */
export function contain(aspect: number, box: Size): Size {
  const scale = Math.min(box.width / aspect, box.height);
  return { width: Math.max(1, Math.round(scale * aspect)), height: Math.max(1, Math.round(scale)) };
}

/** A frame may reach beyond the photograph, where the encoder pads; the stage then shows the padding too. */
export function layoutPhoto(photo: Size, [left, top, right, bottom]: Frame, box: Size): PhotoLayout {
  const [x0, y0, x1, y1] = [Math.min(0, left), Math.min(0, top), Math.max(1, right), Math.max(1, bottom)];
  const stage = contain(((x1 - x0) * photo.width) / ((y1 - y0) * photo.height), box);
  const [sx, sy] = [stage.width / (x1 - x0), stage.height / (y1 - y0)];
  return {
    stage,
    photo: { left: (0 - x0) * sx, top: (0 - y0) * sy, width: sx, height: sy },
    frame: { left: (left - x0) * sx, top: (top - y0) * sy, width: (right - left) * sx, height: (bottom - top) * sy },
  };
}

/** Whether a part of the photograph is outside the frame, by more than rounding. */
export const isCropped = ([left, top, right, bottom]: Frame): boolean =>
  left > 0.004 || top > 0.004 || right < 0.996 || bottom < 0.996;

/** Columns for `count` cells such that photographs of a common aspect become as large as possible. */
export function bestColumns(count: number, area: Size, gap: number, caption: number, smallest: number): number {
  const ASPECT = 1.15;
  let [best, bestSide] = [1, 0];
  for (let columns = 1; columns <= Math.max(1, count); columns++) {
    const rows = Math.ceil(count / columns);
    const width = (area.width - (columns - 1) * gap) / columns;
    const height = (area.height - (rows - 1) * gap) / rows - caption;
    const side = Math.min(width / ASPECT, height);
    if (side > bestSide) [best, bestSide] = [columns, side];
  }
  // Too many to show at once: scroll, at the smallest size that is still worth looking at.
  if (bestSide >= smallest) return best;
  return columnsIn(area.width, smallest * ASPECT, gap);
}

/** Thumbnail sizes come in steps, so that a resize seldom asks for new ones. */
export function quantised(pixels: number): number {
  return [128, 256, 512].find((step) => pixels <= step) ?? 1024;
}
