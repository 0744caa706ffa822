import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeKernel } from "../../dev/fake-kernel";
import { fakeModel } from "../../dev/fake-model";
import { ThumbnailCache } from "../../src/gallery/thumbnails";
import { Comm } from "../../src/kernel/comm";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const thumbnail = async () => ({
  bytes: new Uint8Array([1]),
  type: "image/png",
  width: 20,
  height: 10,
  frame: [0, 0, 1, 1] as [number, number, number, number],
});

test("a request that was lost is sent again, and its answer is taken", async () => {
  const kernel = new FakeKernel({ images: ["cat"], thumbnail, silent: true });
  const comm = new Comm(fakeModel(kernel));
  const onError = vi.fn();
  const cache = new ThumbnailCache(comm, onError);
  cache.acquire("cat", 64);
  await vi.advanceTimersByTimeAsync(1_000);
  expect(kernel.requests("thumbnails")).toHaveLength(1);
  kernel.options.silent = false;
  await vi.advanceTimersByTimeAsync(60_000);
  expect(cache.thumbnail("cat").value).toMatchObject({ image: "cat", size: 64, url: expect.stringContaining("blob:") });
  const [first, second, ...more] = kernel.requests("thumbnails");
  expect(second).toEqual(first);
  expect(more).toEqual([]);
  expect(onError).not.toHaveBeenCalled();
  cache.dispose();
  comm.close();
});
