import { describe, expect, test } from "vitest";
import { type Drag, reduceDrag } from "../../src/bins/drag";

const carried = (image: string) => [image, "other"];
const idle: Drag = { phase: "idle" };
const down = (touch: boolean) =>
  reduceDrag(idle, { type: "down", touch, at: { x: 10, y: 10 }, region: "gallery", image: "a" });
const moveTo = (drag: Drag, x: number) => reduceDrag(drag, { type: "move", at: { x, y: 10 }, over: "corpus", carried });

describe("a mouse", () => {
  test("drags only after four pixels", () => {
    expect(moveTo(down(false), 13).phase).toBe("pressed");
    expect(moveTo(down(false), 14)).toEqual({
      phase: "dragging",
      at: { x: 14, y: 10 },
      region: "gallery",
      images: ["a", "other"],
      over: "corpus",
    });
  });

  test("does not drag by waiting", () => {
    expect(reduceDrag(down(false), { type: "hold", carried }).phase).toBe("pressed");
  });
});

describe("a finger", () => {
  test("that moves at once scrolls", () => {
    expect(moveTo(down(true), 30).phase).toBe("idle");
  });

  test("that rests lifts the image and then drags it", () => {
    const lifted = reduceDrag(moveTo(down(true), 15), { type: "hold", carried });
    expect(lifted.phase).toBe("dragging");
    expect(moveTo(lifted, 90)).toMatchObject({ phase: "dragging", at: { x: 90 }, over: "corpus" });
  });
});

test("every drag ends", () => {
  expect(reduceDrag(moveTo(down(false), 50), { type: "end" })).toEqual(idle);
  expect(moveTo(idle, 50)).toBe(idle);
});
