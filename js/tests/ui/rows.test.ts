import { describe, expect, test } from "vitest";
import { navigate } from "../../src/ui/keyboard";
import { Rows } from "../../src/ui/rows";

describe("rows of two sizes", () => {
  // Three texts, two to a row, above six photographs, four to a row.
  const head = { columns: 2, width: 100, height: 30, count: 3 };
  const body = { columns: 4, width: 45, height: 60, count: 6 };
  const rows = new Rows(body, 10, head);

  test("tiles lie in their rows", () => {
    expect(rows.place(2)).toEqual({ left: 0, top: 40, width: 100, height: 30 });
    expect(rows.place(3)).toEqual({ left: 0, top: 80, width: 45, height: 60 });
    expect(rows.place(8)).toEqual({ left: 55, top: 150, width: 45, height: 60 });
    expect(rows.height).toBe(210);
    expect([-5, 39, 40, 85, 150, 999].map((y) => rows.at(y))).toEqual([0, 0, 1, 2, 3, 3]);
    expect([0, 1, 2, 3, 4].map((row) => rows.first(row))).toEqual([0, 2, 3, 7, 9]);
  });

  test("the keys go to what is seen above and below", () => {
    const go = (key: string, from: number) => navigate(key, from, rows.count, { rows, rowsPerPage: 2 });
    expect([go("ArrowDown", 1), go("ArrowDown", 2), go("ArrowUp", 6), go("ArrowUp", 3)]).toEqual([2, 4, 2, 2]);
    expect([go("ArrowUp", 1), go("ArrowDown", 8), go("ArrowRight", 2), go("PageDown", 0)]).toEqual([1, 8, 3, 4]);
  });

  test("without any tile there is no room taken", () => {
    expect(new Rows({ ...body, count: 0 }, 10, { ...head, count: 0 }).height).toBe(0);
  });
});
