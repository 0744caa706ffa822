import { expect, test, vi } from "vitest";
import { FakeKernel } from "../../dev/fake-kernel";
import { fakeModel } from "../../dev/fake-model";
import { Connection } from "../../src/kernel/connection";
import { Liveness } from "../../src/kernel/liveness";
import { greyPicture } from "../page";

function setup() {
  const kernel = new FakeKernel({ images: [], picture: greyPicture, silent: true });
  const onEvent = vi.fn();
  const model = fakeModel(kernel);
  const life = new Liveness(model);
  const connection = new Connection(model, onEvent, life);
  return { kernel, model, onEvent, connection, life, lastId: () => kernel.sent.at(-1)?.id ?? "" };
}

test("pairs a reply with its request, part by part", async () => {
  const { kernel, connection, lastId } = setup();
  const receive = vi.fn();
  const reply = connection.request({ kind: "thumbnails", images: ["a"], size: 64 }, { onPart: receive });
  const id = lastId();
  kernel.say({ id: "someone-else", kind: "thumbnails", items: [], last: true });
  kernel.say({ id, kind: "thumbnails", items: [], last: false });
  kernel.say({ id, kind: "thumbnails", items: [], last: true });
  await expect(reply).resolves.toMatchObject({ id, last: true });
  expect(receive).toHaveBeenCalledTimes(2);
});

test("curves come after messages about their progress", async () => {
  const { kernel, connection, lastId } = setup();
  const receive = vi.fn();
  const reply = connection.request({ kind: "curves", image: "a" }, { onPart: receive });
  const part = { id: lastId(), kind: "curves", image: "a", total: 4, fractions: [], curves: [] };
  kernel.say({ ...part, done: 1 });
  kernel.say({ ...part, done: 4 });
  kernel.say({ ...part, done: 4, curves: [{ measure: "similarity" }] });
  await expect(reply).resolves.toMatchObject({ curves: [{ measure: "similarity" }] });
  expect(receive).toHaveBeenCalledTimes(3);
});

test("an error rejects the request that it answers", async () => {
  const { kernel, onEvent, connection, lastId } = setup();
  const reply = connection.request({ kind: "hello" });
  kernel.say({ kind: "error", id: lastId(), message: "no such image" });
  await expect(reply).rejects.toThrow("no such image");
  expect(onEvent).not.toHaveBeenCalled();
});

test("an error that answers a notification is reported; another view's is not", () => {
  const { kernel, onEvent, connection } = setup();
  const id = connection.notify({ kind: "bins" });
  kernel.say({ kind: "error", id, message: "not yours" });
  kernel.say({ kind: "error", id: "other-1", message: "not ours" });
  expect(onEvent.mock.calls.map(([event]) => event.message)).toEqual(["not yours"]);
});

test("aborting cancels at the kernel", async () => {
  const { kernel, connection, lastId } = setup();
  const abort = new AbortController();
  const reply = connection.request({ kind: "hello" }, { signal: abort.signal });
  const id = lastId();
  abort.abort(new Error("enough"));
  await expect(reply).rejects.toThrow("enough");
  expect(kernel.requests("cancel")).toMatchObject([{ cancels: id, view: connection.view }]);
});

test("reports are passed on, and foreign messages ignored", () => {
  const { kernel, onEvent } = setup();
  kernel.say({ kind: "stability", version: 1, items: [], smallest: 0, few: false });
  kernel.say({ kind: "anywidget-command", id: "x" });
  expect(onEvent).toHaveBeenCalledTimes(1);
});

test("asks again while the kernel is busy, with the same id", async () => {
  const { kernel, connection } = setup();
  const onLate = vi.fn();
  const reply = connection.request({ kind: "hello" }, { resend: 20, onLate });
  await vi.waitFor(() => expect(kernel.sent.length).toBeGreaterThan(1));
  expect(new Set(kernel.sent.map(({ id }) => id)).size).toBe(1);
  kernel.say({ kind: "catalogue", id: kernel.sent[0]?.id });
  await reply;
  expect(onLate).toHaveBeenCalled();
});

test("closing takes leave, rejects and stops listening", async () => {
  const { kernel, model, life, connection } = setup();
  const reply = connection.request({ kind: "hello" });
  connection.close();
  await expect(reply).rejects.toThrow("closed");
  expect(kernel.requests("leave")).toHaveLength(1);
  life.dispose();
  expect(model.listenerCount).toBe(0);
});

test("without a kernel nothing is sent and nothing throws", async () => {
  const { kernel, model, connection, life } = setup();
  const waiting = connection.request({ kind: "hello" });
  model.failing = true;
  connection.notify({ kind: "bins" });
  expect(life.state.value).toBe("closed");
  connection.fail("gone");
  await expect(waiting).rejects.toThrow("gone");
  const saves = kernel.saves;
  connection.save();
  await expect(connection.request({ kind: "search", text: "cat" })).rejects.toThrow("Run the cell again");
  expect([kernel.saves, kernel.sent.length]).toEqual([saves, 1]);
});
