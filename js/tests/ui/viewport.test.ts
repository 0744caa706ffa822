import { afterEach, expect, test, vi } from "vitest";
import { closePages, mount, type Page, settled } from "../page";

/** What a view reports of itself, and when it asks for all products again. */

let page: Page;
afterEach(() => {
  vi.useRealTimers();
  closePages();
});

const TRAITS = { explicands: ["image-1"], corpus: ["image-3"] };
const watches = () => page.kernel.requests("watch");
const renewals = () => watches().filter(({ renew }) => renew).length;
const IDLE = { kind: "status", device: "CPU", task: null, ready: 1, explicands: 1, memory: 0, budget: 1 };

/** Lets time pass, and a frame come. */
async function pass(milliseconds: number): Promise<void> {
  vi.advanceTimersByTime(milliseconds);
  await vi.waitFor(() => new Promise((resolve) => requestAnimationFrame(resolve)));
}

test("the first report asks for products, later ones do not", async () => {
  page = await mount({ traits: TRAITS });
  await vi.waitFor(() => expect(watches().length).toBeGreaterThan(0));
  expect(watches()[0]?.renew).toBe(true);
  page.kernel.set({ gallery_heatmaps: true });
  await settled();
  await settled();
  expect(watches().at(-1)).toMatchObject({ gallery: 96, renew: false });
  expect(renewals()).toBe(1);
});

test("a kernel that answers again after a silence is asked for products again", async () => {
  page = await mount({ comm: true, traits: TRAITS });
  await vi.waitFor(() => expect(renewals()).toBe(1));
  page.kernel.options.silent = true;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  document.dispatchEvent(new Event("visibilitychange"));
  vi.advanceTimersByTime(5_000);
  vi.useRealTimers();
  expect(page.root.dataset.kernel).toBe("silent");
  expect(renewals()).toBe(1);
  page.kernel.say({ kind: "status", device: "CPU", task: null, ready: 1, explicands: 1, memory: 0, budget: 1 });
  await vi.waitFor(() => expect(renewals()).toBe(2));
});

test("a view that the kernel does not know asks for products", async () => {
  page = await mount({ comm: true, traits: TRAITS });
  await vi.waitFor(() => expect(renewals()).toBe(1));
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  expect(renewals()).toBe(2);
});

test("an idle kernel that leaves an explicand without a heatmap is asked again, less and less often", async () => {
  page = await mount({ traits: TRAITS });
  await vi.waitFor(() => expect(renewals()).toBe(1));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  page.kernel.say({ ...IDLE, task: { label: "RISE", done: 1, total: 2 } });
  await pass(60_000);
  expect(renewals()).toBe(1);
  page.kernel.say(IDLE);
  await pass(9_000);
  expect(renewals()).toBe(1);
  await pass(1_000);
  expect(renewals()).toBe(2);
  await pass(10_000);
  expect(renewals()).toBe(2);
  await pass(10_000);
  expect(renewals()).toBe(3);
  page.kernel.sayProducts(["image-1"], { "image-1": 1, "image-3": 1 });
  await pass(600_000);
  expect(renewals()).toBe(3);
});

test("nothing is asked for where there is nothing to explain, or the kernel has sent the heatmap", async () => {
  page = await mount({ traits: { explicands: ["image-1"] } });
  await vi.waitFor(() => expect(renewals()).toBe(1));
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  page.kernel.say(IDLE);
  await pass(60_000);
  page.kernel.set({ corpus: ["image-3"] });
  page.kernel.sayHeatmaps([{ image: "image-1" }]);
  await pass(60_000);
  expect(renewals()).toBe(1);
});
