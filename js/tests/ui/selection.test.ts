import { expect, test } from "vitest";
import { navigate } from "../../src/ui/keyboard";
import { Order } from "../../src/ui/order";
import { Rows } from "../../src/ui/rows";
import { carried, NOTHING_SELECTED, pruned, select } from "../../src/ui/selection";

const ORDER = new Order(["a", "b", "c", "d", "e"]);
const ids = (selection: { ids: ReadonlySet<string> }) => [...selection.ids];

test("click, toggle and range", () => {
  const one = select(NOTHING_SELECTED, "gallery", ORDER, "b", "replace");
  expect(ids(one)).toEqual(["b"]);
  const range = select(one, "gallery", ORDER, "d", "range");
  expect(ids(range)).toEqual(["b", "c", "d"]);
  expect(ids(select(range, "gallery", ORDER, "a", "range"))).toEqual(["a", "b"]);
  expect(ids(select(range, "gallery", ORDER, "c", "toggle"))).toEqual(["b", "d"]);
});

test("a selection lives in one region", () => {
  const one = select(NOTHING_SELECTED, "gallery", ORDER, "b", "replace");
  expect(select(one, "corpus", new Order(["x"]), "x", "toggle")).toMatchObject({
    region: "corpus",
    ids: new Set(["x"]),
  });
});

test("a selected tile carries the selection, in order; another only itself", () => {
  const some = { region: "gallery" as const, ids: new Set(["d", "b"]), anchor: null };
  expect(carried(some, "gallery", ORDER, "b")).toEqual(["b", "d"]);
  expect(carried(some, "gallery", ORDER, "c")).toEqual(["c"]);
  expect(carried(some, "corpus", ORDER, "b")).toEqual(["b"]);
});

test("what has left is not selected", () => {
  const some = { region: "corpus" as const, ids: new Set(["d", "b"]), anchor: "d" };
  expect(ids(pruned(some, new Order(["b"])))).toEqual(["b"]);
});

test("keys move within the grid", () => {
  const part = { columns: 4, width: 10, height: 10 };
  const shape = { rows: new Rows({ ...part, count: 0 }, { ...part, count: 10 }, 2), rowsPerPage: 2 };
  const go = (key: string, from: number) => navigate(key, from, 10, shape);
  expect([go("ArrowRight", 0), go("ArrowLeft", 0), go("ArrowDown", 1), go("ArrowUp", 1)]).toEqual([1, 0, 5, 1]);
  expect([go("PageDown", 0), go("PageUp", 9), go("Home", 5), go("End", 5), go("x", 5)]).toEqual([8, 1, 0, 9, null]);
});
