import { afterEach, expect, test, vi } from "vitest";
import { FakeKernel } from "../../dev/fake-kernel";
import { fakeModel } from "../../dev/fake-model";
import { Liveness } from "../../src/kernel/liveness";

afterEach(() => {
  vi.useRealTimers();
});

test("a kernel that does not answer is silent, not closed; any message makes it live again", async () => {
  const kernel = new FakeKernel({ images: [], thumbnail: vi.fn(), silent: true });
  vi.useFakeTimers();
  const model = fakeModel(kernel);
  const life = new Liveness(model);
  const ping = vi.fn();
  life.start(ping, vi.fn());
  vi.advanceTimersByTime(15_000);
  expect(ping).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(5_000);
  expect(life.state.value).toBe("silent");
  life.hear();
  expect(life.state.value).toBe("live");
  vi.advanceTimersByTime(11_000);
  expect([ping.mock.calls.length, life.state.value]).toEqual([2, "live"]);
  life.dispose();
  vi.advanceTimersByTime(60_000);
  expect([ping.mock.calls.length, model.listenerCount]).toEqual([2, 0]);
});

test("after a change without an answer the kernel is pinged soon, and once", () => {
  const kernel = new FakeKernel({ images: [], thumbnail: vi.fn(), silent: true });
  vi.useFakeTimers();
  const model = fakeModel(kernel);
  const life = new Liveness(model);
  const ping = vi.fn();
  life.start(ping, vi.fn());
  for (let i = 0; i < 5; i++) life.expectAnswer();
  vi.advanceTimersByTime(2_000);
  life.hear();
  vi.advanceTimersByTime(5_000);
  expect(ping).not.toHaveBeenCalled();
  for (let i = 0; i < 5; i++) life.expectAnswer();
  vi.advanceTimersByTime(3_500);
  expect(ping).toHaveBeenCalledTimes(1);
  life.dispose();
});

test("after a long silence the first message says that the page is back, once", () => {
  const kernel = new FakeKernel({ images: [], thumbnail: vi.fn(), silent: true });
  vi.useFakeTimers();
  const life = new Liveness(fakeModel(kernel));
  const onReturn = vi.fn();
  life.start(vi.fn(), onReturn);
  vi.advanceTimersByTime(50_000);
  life.hear();
  expect(onReturn).not.toHaveBeenCalled();
  vi.advanceTimersByTime(3_600_000);
  for (let i = 0; i < 3; i++) life.hear();
  expect(onReturn).toHaveBeenCalledTimes(1);
  life.dispose();
});
