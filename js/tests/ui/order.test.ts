import { expect, test, vi } from "vitest";
import { Order } from "../../src/ui/order";

test("the place of an id, or −1", () => {
  const order = new Order(["b", "a", "c"]);
  expect(["b", "a", "c", "d"].map((id) => order.indexOf(id))).toEqual([0, 1, 2, -1]);
  expect([order.has("c"), order.has("d"), order.length]).toEqual([true, false, 3]);
});

test("the list is walked once, however often it is asked", () => {
  const ids = Array.from({ length: 100_000 }, (_, i) => `image-${i}`);
  const walked = vi.spyOn(ids, "entries");
  const searched = vi.spyOn(ids, "indexOf");
  const order = new Order(ids);
  expect(walked).not.toHaveBeenCalled();
  for (let i = 0; i < 1000; i++) expect(order.indexOf(`image-${99 * i}`)).toBe(99 * i);
  expect([walked.mock.calls.length, searched.mock.calls.length]).toEqual([1, 0]);
});
