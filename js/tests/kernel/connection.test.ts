import { expect, test, vi } from "vitest";
import { FakeKernel } from "../../dev/fake-kernel";
import { fakeModel } from "../../dev/fake-model";
import { Connection } from "../../src/kernel/connection";
import { Liveness } from "../../src/kernel/liveness";
import { greyThumbnail } from "../page";

function setup() {
  const kernel = new FakeKernel({ images: [], thumbnail: greyThumbnail, silent: true });
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

test("the bytes of the catalogue come back unchanged, and nothing is asked for", async () => {
  const { kernel, connection } = setup();
  kernel.options.silent = false;
  await connection.request({ kind: "hello" });
  expect(kernel.requests("base64")).toHaveLength(0);
});

test("where buffers are lost, they are asked for as base64 and read from there", async () => {
  const { kernel, model, onEvent, connection } = setup();
  const whole = model.receive.bind(model);
  model.receive = (message) => whole(message, []);
  kernel.options.silent = false;
  await connection.request({ kind: "hello" });
  expect(kernel.requests("base64")).toMatchObject([{ view: connection.view }]);
  await connection.request({ kind: "hello" });
  expect(kernel.requests("base64")).toHaveLength(1);
  await vi.waitFor(() => expect(kernel.usesBase64).toBe(true));
  onEvent.mockClear();
  const bytes = Uint8Array.from({ length: 300 }, (_, i) => i % 256);
  kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] }, [
    new DataView(bytes.buffer, 7),
    new DataView(bytes.buffer, 0, 0),
  ]);
  const [, buffers] = onEvent.mock.calls[0] as [unknown, DataView[]];
  expect(buffers.map(({ byteLength }) => byteLength)).toEqual([293, 0]);
  expect([...new Uint8Array(buffers[0]?.buffer as ArrayBuffer)]).toEqual([...bytes.slice(7)]);
});

test.each([[[]], [[new DataView(new ArrayBuffer(256))]], [[new DataView(new ArrayBuffer(3))]]])(
  "a catalogue with other bytes has lost them",
  async (buffers) => {
    const { kernel, connection, lastId } = setup();
    const reply = connection.request({ kind: "hello" });
    kernel.say({ kind: "catalogue", id: lastId() }, buffers);
    await reply;
    expect(kernel.requests("base64")).toHaveLength(1);
  },
);

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
