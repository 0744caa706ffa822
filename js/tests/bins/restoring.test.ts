import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeKernel, type FakeOptions } from "../../dev/fake-kernel";
import { forgetBins, loadBins, saveBins } from "../../src/bins/saved-bins";
import { closePages, drag, greyThumbnail, mount, NAMES, type Page, settled } from "../page";

/** A cell that is run again is offered the bins of its earlier run. */

beforeEach(() => sessionStorage.clear());
afterEach(() => {
  closePages();
  vi.restoreAllMocks();
});

async function run(modelId: string, options: Partial<FakeOptions> = {}, name = "cats"): Promise<Page> {
  const { traits, ...others } = options;
  const kernel = new FakeKernel({
    images: NAMES,
    thumbnail: greyThumbnail,
    modelId,
    traits: { corpus: ["image-0"], name, ...traits },
    ...others,
  });
  const page = await mount({ kernel });
  await settled();
  return page;
}

const bar = (page: Page) => page.root.querySelector<HTMLElement>(".notice[data-kind=restore]");
const click = async (page: Page, action: string) => {
  page.root.querySelector<HTMLElement>(`[data-action=${action}]`)?.click();
  await settled();
};
const arrange = async (page: Page) => {
  drag(page.tile("gallery", "image-1"), page.region("corpus"));
  drag(page.tile("gallery", "image-2"), page.region("foil"));
  await settled();
};

test("the next model under the name offers it; restoring is one change", async () => {
  await arrange(await run("one"));
  const page = await run("two");
  expect(page.images("corpus")).toEqual(["image-0"]);
  expect(bar(page)?.textContent).toContain("Restore the earlier bins: 2 in corpus, 1 in foil.");
  const saves = page.kernel.saves;
  await click(page, "restore");
  expect([page.images("corpus"), page.images("foil")]).toEqual([["image-0", "image-1"], ["image-2"]]);
  expect(page.kernel.saves).toBe(saves + 1);
  expect(bar(page)).toBeNull();
  expect(loadBins("cats")?.model).toBe("two");
});

test("a cell that asks for it takes over the bins at once; one step to undo", async () => {
  await arrange(await run("one"));
  const page = await run("two", { traits: { restore: true } });
  expect(bar(page)).toBeNull();
  expect([page.images("corpus"), page.images("foil")]).toEqual([["image-0", "image-1"], ["image-2"]]);
  expect(page.kernel.requests("operation").map(({ operation }) => operation.kind)).toEqual(["set"]);
  expect(page.root.querySelector(".announcer")?.textContent).toContain("Restored: 2 in corpus, 1 in foil.");
  await click(page, "undo");
  expect(page.kernel.traits).toMatchObject({ corpus: ["image-0"], foil: [] });
});

test("dismissing leaves the bins, and it is not offered again", async () => {
  await arrange(await run("one"));
  const page = await run("two");
  await click(page, "dismiss");
  expect(page.images("corpus")).toEqual(["image-0"]);
  expect(bar(await run("three"))).toBeNull();
});

test.each(["restore", "dismiss"])("after %s the focus is in the corpus", async (action) => {
  await arrange(await run("one"));
  const page = await run("two");
  page.root.querySelector<HTMLElement>(`[data-action=${action}]`)?.focus();
  await click(page, action);
  expect(page.region("corpus").contains(document.activeElement)).toBe(true);
});

test("nothing is offered to the same model, under another name, or when the bins are the same", async () => {
  const first = await run("one");
  await arrange(first);
  expect(bar(await run("one"))).toBeNull();
  expect(bar(await run("two", {}, "dogs"))).toBeNull();
  expect(bar(await run("two", { traits: { corpus: ["image-0", "image-1"], foil: ["image-2"] } }))).toBeNull();
});

test("the bins that a cell sets up are not saved", async () => {
  await run("one", { traits: { corpus: ["image-3", "image-4"] } });
  expect(loadBins("cats")).toBeNull();
});

test("changes are saved without a kernel too", async () => {
  const page = await run("one");
  page.kernel.cutOff();
  await arrange(page);
  expect(loadBins("cats")?.foil).toEqual(["image-2"]);
});

test("images that are not in the gallery, and texts for which there is no tower, are left out, and counted", async () => {
  saveBins("cats", { model: "one", corpus: ["text:a cat", "image-1", "gone"], foil: [], explicands: ["lost"] });
  const available = { available: false, reason: "no tower", note: "", context: null, templates: [], lists: [] };
  const page = await run("two", { catalogue: { text: available } });
  expect(bar(page)?.textContent).toContain("2 images that are not in this gallery and 1 text");
  await click(page, "restore");
  expect(page.images("corpus")).toEqual(["image-1"]);
});

test("damaged entries are ignored, long ones not saved, old ones removed", () => {
  sessionStorage.setItem("cocoa-widget:bins:bad", "{");
  sessionStorage.setItem("cocoa-widget:bins:worse", '{"corpus": [1]}');
  expect([loadBins("bad"), loadBins("worse"), loadBins("none")]).toEqual([null, null, null]);
  const kept = { model: "m", corpus: ["a"], foil: [], explicands: [] };
  saveBins("long", kept);
  saveBins("long", { ...kept, corpus: ["x".repeat(500_000)] });
  expect(loadBins("long")).toBeNull();
  const clock = vi.spyOn(Date, "now");
  for (let i = 0; i < 25; i++) {
    clock.mockReturnValue(1000 + i);
    saveBins(`w${i}`, kept);
  }
  expect(sessionStorage.length).toBeLessThanOrEqual(20);
  expect(loadBins("w0")).toBeNull();
  expect(loadBins("w24")?.corpus).toEqual(["a"]);
});

test("without storage everything else works", async () => {
  const denied = () => {
    throw new DOMException("denied", "SecurityError");
  };
  vi.spyOn(window, "sessionStorage", "get").mockImplementation(denied);
  saveBins("x", { model: "m", corpus: [], foil: [], explicands: [] });
  forgetBins("x");
  const page = await run("one");
  await arrange(page);
  expect(page.images("corpus")).toEqual(["image-0", "image-1"]);
});
