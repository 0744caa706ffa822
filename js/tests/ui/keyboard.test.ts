import { expect, test } from "vitest";
import { navigate } from "../../src/ui/keyboard";
import { Rows } from "../../src/ui/rows";

test("keys move within the grid", () => {
  const part = { columns: 4, width: 10, height: 10 };
  const shape = { rows: new Rows({ ...part, count: 10 }, 2), rowsPerPage: 2 };
  const go = (key: string, from: number) => navigate(key, from, 10, shape);
  expect([go("ArrowRight", 0), go("ArrowLeft", 0), go("ArrowDown", 1), go("ArrowUp", 1)]).toEqual([1, 0, 5, 1]);
  expect([go("PageDown", 0), go("PageUp", 9), go("Home", 5), go("End", 5), go("x", 5)]).toEqual([8, 1, 0, 9, null]);
});
