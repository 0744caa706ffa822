import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { FakeKernel } from "../../dev/fake-kernel";
import { type FakeModel, fakeModel } from "../../dev/fake-model";
import { Comm } from "../../src/kernel/comm";
import type { Step } from "../../src/kernel/protocol";
import { closePages, drag, mount, type Page, press, settled } from "../page";

/** A page over a model: it notices that the kernel is gone, shows it, and goes on without it. */

const BINS = { corpus: ["image-1"], foil: ["image-2"], explicands: ["image-3"] };
const errors: unknown[] = [];
const note = (event: ErrorEvent | PromiseRejectionEvent) => errors.push(event);
beforeEach(() => {
  window.addEventListener("error", note);
  window.addEventListener("unhandledrejection", note);
});
afterEach(() => {
  vi.useRealTimers();
  closePages();
  window.removeEventListener("error", note);
  window.removeEventListener("unhandledrejection", note);
  expect(errors.splice(0)).toEqual([]);
});

const modelOf = (page: Page) => page.model as FakeModel;
const alertOf = (page: Page) => page.root.querySelector("[role=alert]")?.textContent ?? "";
const status = (page: Page) => page.root.querySelector(".status")?.textContent ?? "";
const click = (page: Page, action: string) => page.root.querySelector<HTMLElement>(`[data-action=${action}]`)?.click();

test("a cut-off model is noticed at once, and what is shown is marked as old", async () => {
  const page = await mount({ comm: true, traits: BINS });
  page.kernel.sayHeatmaps([{ image: "image-3" }]);
  await settled();
  expect(page.root.dataset.kernel).toBe("live");
  expect(status(page)).toContain("ready");
  page.kernel.cutOff();
  await settled();
  expect(page.root.dataset.kernel).toBe("closed");
  expect(alertOf(page)).toContain("Run the cell again");
  expect(status(page)).not.toContain("ready");
  expect(status(page)).toContain("no kernel");
  const canvases = [...page.root.querySelectorAll<HTMLElement>("canvas[data-heatmap]")];
  expect(canvases.map((canvas) => canvas.dataset.stale)).toEqual(["true"]);
  expect(page.root.querySelector(".reading")?.hasAttribute("data-stale")).toBe(true);
  expect(page.tile("explicands", "image-3").ariaLabel).toContain("from before, score");
});

test("a closed comm and a send that throws are noticed too", async () => {
  const page = await mount({ comm: true });
  modelOf(page).failing = true;
  drag(page.tile("gallery", "image-1"), page.region("corpus"));
  expect(page.root.dataset.kernel).toBe("closed");
  await vi.waitFor(() => expect(page.images("corpus")).toEqual(["image-1"]));
  const other = await mount({ comm: true });
  modelOf(other).fire("comm:close");
  expect(other.root.dataset.kernel).toBe("closed");
});

test("without a kernel the bins can be changed, and what needs the kernel is refused", async () => {
  const page = await mount({ comm: true, traits: BINS, live: true });
  page.kernel.cutOff();
  modelOf(page).failing = true;
  await settled();
  click(page, "swap");
  click(page, "toggle-gallery-heatmaps");
  drag(page.tile("gallery", "image-5"), page.region("foil"));
  drag(page.tile("gallery", "image-6"), page.region("foil"));
  press(page.tile("gallery", "image-1"), "z", { ctrlKey: true });
  await vi.waitFor(() => expect(page.images("foil")).toEqual(["image-1", "image-5"]));
  expect(page.root.querySelector(".announcer")?.textContent).toContain("Undone: Add image-6 to foil");
  expect(page.root.querySelector<HTMLElement>("[data-action=redo]")?.title).toContain("Add image-6 to foil");
  expect(alertOf(page)).toContain("The page goes on with what it has");
  const field = page.root.querySelector<HTMLInputElement>("[data-add-text=corpus]") as HTMLInputElement;
  field.value = "a cat";
  field.dispatchEvent(new Event("input", { bubbles: true }));
  press(field, "Enter");
  await settled();
  expect(page.root.querySelector(".toast")?.textContent).toContain("Run the cell again");
  press(page.tile("explicands", "image-3"), "Enter");
  await settled();
  expect(page.root.querySelector("[role=dialog]")).not.toBeNull();
});

test("the status bar shows that the kernel is silent, and heatmaps stay as they are", async () => {
  const page = await mount({ comm: true, traits: BINS });
  page.kernel.sayHeatmaps([{ image: "image-3" }]);
  page.kernel.options.silent = true;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  document.dispatchEvent(new Event("visibilitychange"));
  vi.advanceTimersByTime(5_000);
  vi.useRealTimers();
  await settled();
  expect(page.root.dataset.kernel).toBe("silent");
  expect(status(page)).toContain("busy with a cell, or gone");
  expect(status(page)).not.toContain("ready");
  expect(alertOf(page)).toBe("");
  expect(page.root.querySelector<HTMLElement>("canvas[data-heatmap]")?.dataset.stale).toBe("false");
  page.kernel.say({ kind: "stability", version: 1, items: [], smallest: 0, few: false });
  await settled();
  expect(page.root.dataset.kernel).toBe("live");
  expect(status(page)).toContain("ready");
});

test("heatmaps are marked as old while a silent kernel has not answered a change", async () => {
  const page = await mount({ comm: true, traits: BINS });
  page.kernel.sayHeatmaps([{ image: "image-3" }]);
  const stale = () => page.root.querySelector<HTMLElement>("canvas[data-heatmap]")?.dataset.stale;
  page.kernel.options.silent = true;
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  page.root.querySelector<HTMLElement>("[data-action=swap]")?.click();
  vi.advanceTimersByTime(3_000);
  expect(stale()).toBe("false"); // it may still be on its way
  vi.advanceTimersByTime(5_000);
  vi.useRealTimers();
  await settled();
  expect([page.root.dataset.kernel, stale()]).toEqual(["silent", "true"]);
  page.kernel.sayHeatmaps([{ image: "image-3" }]);
  await settled();
  expect([page.root.dataset.kernel, stale()]).toEqual(["live", "false"]);
});

test("a view that the kernel does not know reports itself again; a page that is left takes leave", async () => {
  const page = await mount({ comm: true, traits: BINS });
  await vi.waitFor(() => expect(page.kernel.requests("watch").length).toBeGreaterThan(0));
  const watches = () => page.kernel.requests("watch").length;
  const [view, before] = [page.kernel.requests("watch").at(-1)?.view ?? "", watches()];
  window.dispatchEvent(new Event("pagehide"));
  expect(page.kernel.knows(view)).toBe(false);
  document.dispatchEvent(new Event("visibilitychange"));
  await vi.waitFor(() => expect(watches()).toBe(before + 1));
  window.dispatchEvent(new Event("pagehide"));
  window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  await vi.waitFor(() => expect(page.kernel.knows(view)).toBe(true));
});

test("questions and settings go over the model; a part, an answer and a report come back", async () => {
  const kernel = new FakeKernel({ images: [], thumbnail: vi.fn(), silent: true });
  const model = fakeModel(kernel);
  const comm = new Comm(model);
  const [onPart, onReport] = [vi.fn(), vi.fn()];
  comm.listen(onReport);
  const answer = comm.ask({ kind: "curves", image: "image-1" }, { onPart });
  const id = kernel.requests("curves")[0]?.id;
  kernel.say({ kind: "curves", id, done: 1, curves: [] });
  kernel.say({ kind: "stability", version: 7, items: [], smallest: 0, few: false });
  kernel.say({ kind: "curves", id, done: 4, curves: [{ measure: "similarity" }] });
  await expect(answer).resolves.toMatchObject({ done: 4 });
  expect(onPart.mock.calls.map(([part]) => part.done)).toEqual([1, 4]);
  expect(onReport.mock.calls.map(([report]) => report.version)).toEqual([7]);
  comm.change({ layer: "error", method: "cam" });
  expect([kernel.traits.layer, kernel.traits.method, kernel.saves]).toEqual(["error", "cam", 1]);
  kernel.set({ opacity: 0.3 });
  expect([comm.settings.method.value, comm.settings.opacity.value]).toEqual(["cam", 0.3]);
  const open = comm.ask({ kind: "search", text: "a cat" });
  model.cutOff();
  await expect(open).rejects.toThrow("Run the cell again");
  comm.close();
  expect([comm.state.value, model.listenerCount]).toEqual(["closed", 0]);
});

test("settings that change at every pixel reach the kernel when they rest, or when the page is closed", () => {
  vi.useFakeTimers();
  const kernel = new FakeKernel({ images: [], thumbnail: vi.fn(), silent: true });
  const comm = new Comm(fakeModel(kernel));
  for (const opacity of [0.1, 0.2, 0.3]) comm.changeSoon({ opacity });
  expect([comm.settings.opacity.value, kernel.saves]).toEqual([0.3, 0]);
  vi.advanceTimersByTime(1_000);
  expect(kernel.saves).toBe(1);
  comm.changeSoon({ height: 500 });
  comm.close();
  expect(kernel.saves).toBe(2);
});

describe("while the kernel is busy", () => {
  const take = (page: Page, image: string, to: string) => drag(page.tile("gallery", image), page.region(to));
  const operations = (page: Page) => page.kernel.requests("operation").map(({ number }) => number);

  /** The kernel reads all that has come, and goes on. */
  function resume(page: Page): void {
    page.kernel.options.silent = false;
    for (const message of page.kernel.sent.splice(0)) page.kernel.take(message);
  }

  test("drops and undo take effect at once, and in the kernel when it is free", async () => {
    const page = await mount({ comm: true, traits: BINS });
    page.kernel.options.silent = true;
    take(page, "image-4", "corpus");
    take(page, "image-5", "foil");
    press(page.tile("gallery", "image-0"), "z", { ctrlKey: true });
    take(page, "image-1", "foil");
    await settled();
    expect([page.images("corpus"), page.images("foil")]).toEqual([["image-4"], ["image-2", "image-1"]]);
    expect(page.kernel.traits).toMatchObject(BINS);
    // Code changes the bins in its own turn, before the operations.
    page.kernel.set({ corpus: ["image-1", "image-7"] });
    await settled();
    expect([page.images("corpus"), page.images("foil")]).toEqual([
      ["image-7", "image-4"],
      ["image-2", "image-1"],
    ]);
    resume(page);
    await settled();
    expect(page.kernel.traits).toMatchObject({ corpus: ["image-7", "image-4"], foil: ["image-2", "image-1"] });
    expect([page.images("corpus"), page.images("foil")]).toEqual([
      ["image-7", "image-4"],
      ["image-2", "image-1"],
    ]);
    expect(page.root.querySelector(".toast")).toBeNull();
  });

  test("an operation that was lost is sent again, and applied once", async () => {
    const page = await mount({ comm: true, traits: BINS });
    take(page, "image-4", "corpus");
    page.kernel.options.silent = true;
    take(page, "image-5", "corpus");
    page.kernel.sent.pop(); // lost
    take(page, "image-6", "corpus");
    resume(page);
    expect(page.kernel.traits.corpus).toEqual(["image-1", "image-4"]);
    document.dispatchEvent(new Event("visibilitychange")); // the page pings
    await vi.waitFor(() => expect(page.kernel.traits.corpus).toEqual(["image-1", "image-4", "image-5", "image-6"]));
    expect(operations(page).slice(-2)).toEqual([2, 3]);
    await settled();
    expect(page.images("corpus")).toEqual(["image-1", "image-4", "image-5", "image-6"]);
  });

  test("a connection that comes back asks for the bins, and for what it has not heard of", async () => {
    const page = await mount({ comm: true, traits: BINS });
    page.kernel.cutOff();
    take(page, "image-4", "corpus");
    await vi.waitFor(() =>
      expect([page.root.dataset.kernel, page.images("corpus")]).toEqual(["closed", ["image-1", "image-4"]]),
    );
    expect(operations(page)).toEqual([]);
    modelOf(page).live = true;
    modelOf(page).fire("comm_live_update");
    await vi.waitFor(() => expect(page.kernel.traits.corpus).toEqual(["image-1", "image-4"]));
    expect(page.kernel.requests("bins")).toHaveLength(1);
    expect(page.root.dataset.kernel).toBe("live");
  });

  test("a refusal takes back what the page has shown, and says why", async () => {
    const page = await mount({ comm: true, traits: BINS });
    page.kernel.options.silent = true;
    take(page, "image-4", "corpus");
    const { id, view } = page.kernel.requests("operation")[0] ?? { id: "", view: "" };
    page.kernel.traits._applied = { [view]: 1 };
    modelOf(page).changed(["_applied"]);
    page.kernel.say({ kind: "error", id, message: "no such image" });
    await settled();
    expect(page.images("corpus")).toEqual(["image-1"]);
    expect(page.root.querySelector(".toast")?.textContent).toContain("no such image");
  });

  test("a step that is too long to be sent is undone when the kernel answers", async () => {
    const page = await mount({ comm: true, traits: BINS });
    page.kernel.set({ corpus: [] });
    const [step] = page.kernel.traits._steps.undo;
    page.kernel.traits._steps = { undo: [{ ...(step as Step), edits: null }], redo: [] };
    modelOf(page).changed(["_steps"]);
    press(page.tile("gallery", "image-0"), "z", { ctrlKey: true });
    await settled();
    expect(page.root.querySelector(".announcer")?.textContent).toBe("To undo when the kernel answers: Clear corpus.");
    expect(page.kernel.requests("operation").at(-1)?.operation).toEqual({ kind: "undo", step: step?.id });
  });
});
