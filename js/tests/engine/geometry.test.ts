import { describe, expect, test } from "vitest";
import { LONGEST, layoutPhoto, shownAspect } from "../../src/engine/geometry";

describe("geometry", () => {
  test("the frame lies at its fractions of the photograph", () => {
    const { stage, photo, frame } = layoutPhoto({ width: 200, height: 100 }, [0.25, 0, 0.75, 1], {
      width: 80,
      height: 80,
    });
    expect(stage).toEqual({ width: 80, height: 40 });
    expect(photo).toMatchObject({ width: 80, height: 40 });
    expect(frame).toEqual({ left: 20, top: 0, width: 40, height: 40 });
  });

  test("padding around the photograph is part of the stage", () => {
    const { stage, photo, frame } = layoutPhoto({ width: 200, height: 100 }, [0, -0.5, 1, 1.5], {
      width: 80,
      height: 80,
    });
    expect(stage).toEqual({ width: 80, height: 80 });
    expect(photo).toEqual({ left: 0, top: 20, width: 80, height: 40 });
    expect(frame).toEqual({ left: 0, top: 0, width: 80, height: 80 });
  });

  test("a long photograph is shown around the frame, which stays whole", () => {
    const panorama = { width: 4000, height: 200 };
    const box = { width: 260, height: 260 };
    const middle = layoutPhoto(panorama, [0.475, 0, 0.525, 1], box, LONGEST);
    expect(middle.stage).toEqual({ width: 260, height: 100 });
    expect(middle.frame).toMatchObject({ width: expect.closeTo(100), left: expect.closeTo(80), top: 0 });
    expect(middle.photo).toMatchObject({ width: expect.closeTo(2000), left: expect.closeTo(-870) });
    // At the end of the photograph, the part does not go beyond it.
    const last = layoutPhoto(panorama, [0.95, 0, 1, 1], box, LONGEST);
    expect(last.frame.left + last.frame.width).toBeCloseTo(260);
    expect(last.photo.left + last.photo.width).toBeCloseTo(260);
    const tower = layoutPhoto({ width: 200, height: 4000 }, [0, 0.475, 1, 0.525], box, LONGEST);
    expect(tower.stage).toEqual({ width: 100, height: 260 });
    // A frame that is longer itself is not cut.
    expect(layoutPhoto(panorama, [0, 0, 1, 1], box, LONGEST).stage).toEqual({ width: 260, height: 13 });
    expect(layoutPhoto(panorama, [0.475, 0, 0.525, 1], box).stage).toEqual({ width: 260, height: 13 });
  });

  test("the aspect of what a tile shows", () => {
    expect(shownAspect({ width: 300, height: 200 }, [0, 0, 1, 1])).toBe(1.5);
    expect(shownAspect({ width: 300, height: 200 }, [0, -0.25, 1, 1.25])).toBe(1);
    expect(shownAspect({ width: 4000, height: 200 }, [0.475, 0, 0.525, 1])).toBeCloseTo(LONGEST);
    expect(shownAspect({ width: 200, height: 4000 }, [0, 0.475, 1, 0.525])).toBeCloseTo(1 / LONGEST);
  });
});
