import type { Rect, Size } from "../engine/geometry";

/** The CSS of the size of a box. */
export const sized = ({ width, height }: Size) => ({ width: `${width}px`, height: `${height}px` });

/** The CSS of an absolutely positioned box. */
export const placed = (rect: Rect) => ({ left: `${rect.left}px`, top: `${rect.top}px`, ...sized(rect) });
