import { expect, test } from "vitest";
import { cellAt, gridOf, isCell, middle, weighCell } from "../../src/engine/cells";

const GRID = { image: "cat/1:a\nb", origin: "cell:sharp.33:2x4", rows: 2, columns: 4 };

test("a cell's id names its grid, whatever the image is called", () => {
  const [member] = weighCell(GRID, { image: GRID.image, x: 0.6, y: 0.9 }).members;
  expect(member?.image).toBe("cell:sharp.33:2x4:6:cat/1:a\nb");
  expect(gridOf(member?.image ?? "")).toEqual(GRID);
  expect([isCell("cell:x"), isCell("text:cell:x"), gridOf("cell:x")]).toEqual([true, false, null]);
});

test("the cell at a place, also on the edge and beyond it", () => {
  const at = (x: number, y: number) => Object.values(cellAt(GRID, { image: GRID.image, x, y }));
  expect([at(0, 0), at(0.26, 0.49), at(1, 1), at(-0.1, 1.2)]).toEqual([
    [0, 0],
    [0, 1],
    [1, 3],
    [1, 0],
  ]);
});

test("steps go from middle to middle and stop at the border", () => {
  const place = { image: GRID.image, x: 0.3, y: 0.1 };
  expect(middle(GRID, place)).toEqual({ ...place, x: 0.375, y: 0.25 });
  expect(middle(GRID, place, 5, -5)).toEqual({ ...place, x: 0.125, y: 0.75 });
});
