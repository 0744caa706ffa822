import { describe, expect, test } from "vitest";
import { bestColumns, layoutPhoto } from "../../src/engine/geometry";

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

  test("one explicand is large, many are a grid", () => {
    const columns = (n: number) => bestColumns(n, { width: 800, height: 400 }, 10, 34, 96);
    expect([columns(1), columns(2), columns(8)]).toEqual([1, 2, 4]);
    expect(columns(500)).toBeGreaterThan(4);
  });
});
