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

/** A tile shows a longer photograph only around the frame, which is all that the encoder sees of it. */
export const LONGEST = 2.6;

/**
 * The part of a photograph to show, in fractions of it. A frame may reach beyond the photograph, where the encoder pads; the
 * part then includes the padding. Its aspect is within 1 / `longest` and `longest`, unless the frame's is not.
 */
function shownPart(photo: Size, frame: Frame, longest: number): Frame {
  const [left, top, right, bottom] = frame;
  const [x, y] = [span(left, right), span(top, bottom)];
  const width = (x[1] - x[0]) * photo.width;
  const height = (y[1] - y[0]) * photo.height;
  const [x0, x1] = around(x, left, right, (longest * height) / photo.width);
  const [y0, y1] = around(y, top, bottom, (longest * width) / photo.height);
  return [x0, y0, x1, y1];
}

/** One side of the photograph and of a frame that may reach beyond it. */
const span = (from: number, to: number): [number, number] => [Math.min(0, from), Math.max(1, to)];

/** At most `most` of a span, around a part of it that is kept whole. */
function around([low, high]: [number, number], from: number, to: number, most: number): [number, number] {
  const size = Math.max(most, to - from);
  if (size >= high - low) return [low, high];
  const start = Math.min(Math.max((from + to - size) / 2, low), high - size);
  return [start, start + size];
}

/** Width ÷ height of what a tile shows of a photograph. */
export function shownAspect(photo: Size, frame: Frame): number {
  const [x0, y0, x1, y1] = shownPart(photo, frame, LONGEST);
  return ((x1 - x0) * photo.width) / ((y1 - y0) * photo.height);
}

/** The places of photograph and frame in a box; what is longer than `longest` is cut off around the frame. */
export function layoutPhoto(photo: Size, frame: Frame, box: Size, longest = Number.POSITIVE_INFINITY): PhotoLayout {
  const [left, top, right, bottom] = frame;
  const [x0, y0, x1, y1] = shownPart(photo, frame, longest);
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

/** Thumbnail sizes come in steps, so that a resize seldom asks for new ones. */
export function quantised(pixels: number): number {
  return [128, 256, 512, 1024, 2048].find((step) => pixels <= step) ?? 4096;
}
