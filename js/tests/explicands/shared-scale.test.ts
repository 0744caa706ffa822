import { afterEach, expect, test, vi } from "vitest";
import type { HeatmapInfo } from "../../src/explicands/heatmap";
import { SharedScale } from "../../src/explicands/shared-scale";

/** The scale: when it stays, when it moves, and that it arrives. */

afterEach(() => vi.restoreAllMocks());

const GROUP = "rise attribution";
const CALM = { held: false, sharpening: false };
const heatmap = (reach: number, more: Partial<HeatmapInfo> = {}, largest = reach) => ({
  info: {
    image: "x",
    method: "rise",
    layer: "attribution",
    preview: false,
    shape: [8, 8] as [number, number],
    peak: largest,
    score: 0,
    progress: 1,
    version: 1,
    stale: false,
    trial: null,
    ...more,
  },
  reach,
  largest,
});

/** A scale on a page with or without motion, whose frames come when the test says so. */
function setup(motion: boolean): {
  scale: SharedScale;
  onMove: ReturnType<typeof vi.fn>;
  frame: (now: number) => void;
} {
  vi.spyOn(window, "matchMedia").mockReturnValue({ matches: !motion } as MediaQueryList);
  let step: FrameRequestCallback | null = null;
  vi.spyOn(window, "requestAnimationFrame").mockImplementation((next) => {
    step = next;
    return 1;
  });
  vi.spyOn(window, "cancelAnimationFrame").mockImplementation(() => {
    step = null;
  });
  const onMove = vi.fn();
  const frame = (now: number) => {
    const next = step;
    step = null;
    next?.(now);
  };
  return { scale: new SharedScale(onMove), onMove, frame };
}

test("the first heatmaps set the scale: the largest reach, of each group", () => {
  const { scale } = setup(true);
  expect(scale.shown.value).toBeNull();
  expect(scale.follow([heatmap(0.2, {}, 0.7), heatmap(0.5), heatmap(9, { preview: true, method: "cam" })], CALM)).toBe(
    true,
  );
  expect(scale.limit(GROUP)).toBe(0.5);
  expect(scale.shown.value).toEqual({
    layer: "attribution",
    limit: 0.5,
    largest: 0.7,
    groups: 2,
    smoothed: false,
  });
  expect(scale.settled.value).toBe(true);
  scale.follow([heatmap(4, { stale: true })], CALM);
  expect(scale.shown.value).toBeNull();
});

test("a new peak is reached over a moment, and never passed", () => {
  const { scale, onMove, frame } = setup(true);
  scale.follow([heatmap(1)], CALM);
  expect(scale.follow([heatmap(3)], CALM)).toBe(false);
  expect([scale.limit(GROUP), scale.settled.value]).toEqual([1, false]);
  const limits = [0, 50, 100, 150].map((now) => {
    frame(now);
    return scale.limit(GROUP);
  });
  expect(limits[0]).toBe(1);
  expect(limits).toEqual([...limits].sort((a, b) => a - b));
  expect(limits[3]).toBeLessThan(3);
  expect(scale.shown.value?.limit).toBe(limits[3]);
  frame(200);
  expect([scale.limit(GROUP), scale.settled.value]).toEqual([3, true]);
  expect(onMove).toHaveBeenCalledTimes(5);
});

test("the same heatmaps once more do not start the movement again", () => {
  const { scale, frame } = setup(true);
  scale.follow([heatmap(1)], CALM);
  scale.follow([heatmap(3)], CALM);
  frame(0);
  frame(100);
  scale.follow([heatmap(3)], CALM);
  frame(199);
  expect(scale.settled.value).toBe(false);
  frame(200);
  expect(scale.settled.value).toBe(true);
});

test("without motion the new peak is there at once", () => {
  const { scale } = setup(false);
  scale.follow([heatmap(1)], CALM);
  expect(scale.follow([heatmap(3)], CALM)).toBe(true);
  expect([scale.limit(GROUP), scale.settled.value]).toEqual([3, true]);
});

test("during a drag it stays, also in the middle of a movement, and follows afterwards", () => {
  const { scale, frame } = setup(true);
  scale.follow([heatmap(1)], CALM);
  scale.follow([heatmap(3)], CALM);
  frame(0);
  frame(100);
  const limit = scale.limit(GROUP);
  scale.follow([heatmap(5)], { held: true, sharpening: false });
  expect([scale.limit(GROUP), scale.settled.value]).toEqual([limit, true]);
  scale.follow([heatmap(5)], CALM);
  frame(300);
  frame(500);
  expect(scale.limit(GROUP)).toBe(5);
});

test("while heatmaps sharpen it stays unless their peak is far from it; when they are complete it follows", () => {
  const { scale } = setup(false);
  const sharpening = { held: false, sharpening: true };
  scale.follow([heatmap(1, { progress: 0.1 })], CALM);
  scale.follow([heatmap(1.2, { progress: 0.2 })], sharpening);
  scale.follow([heatmap(0.7, { progress: 0.5 })], sharpening);
  expect(scale.limit(GROUP)).toBe(1);
  scale.follow([heatmap(1.5, { progress: 0.6 })], sharpening);
  expect(scale.limit(GROUP)).toBe(1.5);
  scale.follow([heatmap(1.4, { progress: 1 })], sharpening);
  expect(scale.limit(GROUP)).toBe(1.4);
  scale.follow([heatmap(1.3, { progress: 0.5 })], CALM); // another question
  expect(scale.limit(GROUP)).toBe(1.3);
});
