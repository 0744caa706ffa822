import { expect, test } from "vitest";
import { Order } from "../../src/ui/order";
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

test("tiles that left the region are deselected", () => {
  const some = { region: "corpus" as const, ids: new Set(["d", "b"]), anchor: "d" };
  expect(ids(pruned(some, new Order(["b"])))).toEqual(["b"]);
});
