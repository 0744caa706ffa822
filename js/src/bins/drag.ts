import type { Region } from "./bins";

/** The phases of a drag as a pure reducer; `DragController` feeds it and acts on what comes out. */

export interface Point {
  x: number;
  y: number;
}

export type Drag =
  | { phase: "idle" }
  | { phase: "pressed"; touch: boolean; start: Point; region: Region; image: string }
  | { phase: "dragging"; at: Point; region: Region; images: readonly string[]; over: Region | null };

export type DragEvent =
  | { type: "down"; touch: boolean; at: Point; region: Region; image: string }
  | { type: "move"; at: Point; over: Region | null; carried: (image: string) => readonly string[] }
  | { type: "hold"; carried: (image: string) => readonly string[] }
  | { type: "end" };

/** A hand trembles less with a mouse than on glass, where movement before the long press means scrolling. */
export const MOUSE_THRESHOLD = 4;
export const TOUCH_SLOP = 10;
export const LONG_PRESS_MS = 200;

const IDLE: Drag = { phase: "idle" };

export function reduceDrag(drag: Drag, event: DragEvent): Drag {
  switch (event.type) {
    case "down":
      return { phase: "pressed", touch: event.touch, start: event.at, region: event.region, image: event.image };
    case "move": {
      if (drag.phase === "dragging") return { ...drag, at: event.at, over: event.over };
      if (drag.phase !== "pressed") return drag;
      const distance = Math.hypot(event.at.x - drag.start.x, event.at.y - drag.start.y);
      if (drag.touch) return distance > TOUCH_SLOP ? IDLE : drag;
      if (distance < MOUSE_THRESHOLD) return drag;
      return lift(drag, event.at, event.over, event.carried);
    }
    case "hold":
      if (drag.phase !== "pressed" || !drag.touch) return drag;
      return lift(drag, drag.start, drag.region, event.carried);
    case "end":
      return IDLE;
  }
}

function lift(
  { region, image }: Drag & { phase: "pressed" },
  at: Point,
  over: Region | null,
  carried: (image: string) => readonly string[],
): Drag {
  return { phase: "dragging", at, region, images: carried(image), over };
}
