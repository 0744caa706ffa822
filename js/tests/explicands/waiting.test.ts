import { afterEach, expect, test, vi } from "vitest";
import { closePages, drag, enlarge, mount, type Page, settled } from "../page";

/** Members of the bins that are not encoded yet: heatmaps answer the bins without them, and a note says so. */

let page: Page;
afterEach(closePages);

const NUMBERS = { "image-1": 1, "image-2": 0.5, "image-3": 0.8, "image-4": -0.4 };
const TEXT = "text:a dog";
const canvas = (image: string) =>
  page.region("explicands").querySelector(`[data-image-id=${image}] canvas`) as HTMLCanvasElement;
const text = (image: string) => page.tile("explicands", image).querySelector(".score")?.textContent;
const note = () => page.root.querySelector("[data-note=waiting]")?.textContent;
const stale = () => ["image-1", "image-2"].map((image) => canvas(image).dataset.stale);
const answer = (version: number, waiting: string[] = [], more: object = {}) =>
  page.kernel.say({ kind: "heatmaps", version, items: [], failed: [], waiting, space: 1, ...more });

async function start(): Promise<void> {
  page = await mount({ traits: { explicands: ["image-1", "image-2"], corpus: ["image-3"] } });
  page.kernel.sayProducts(["image-1", "image-2"], NUMBERS);
  answer(1);
}

test("the first text dims nothing while it is read: heatmaps answer the bins without it, which a note says", async () => {
  await start();
  page.kernel.set({ corpus: ["image-3", TEXT] });
  answer(2, [TEXT]);
  const task = { label: "Getting ready for texts", done: 0, total: 0 };
  page.kernel.say({ kind: "status", device: "CPU", task, ready: 2, explicands: 2, memory: 1, budget: 2 });
  await settled();
  expect(stale()).toEqual(["false", "false"]);
  expect(canvas("image-1").dataset.heatmapVersion).toBe("2");
  expect([text("image-1"), text("image-2")]).toEqual(["+0.80", "+0.40"]);
  expect(note()).toBe("Waiting for “a dog”: heatmaps still answer the bins without it (getting ready for texts, 0 s)");
  expect(page.tile("corpus", TEXT).dataset.waiting).toBe("true");
  expect(page.tile("corpus", TEXT).ariaLabel).toContain("not encoded yet");
  expect(page.tile("corpus", "image-3").dataset.waiting).toBeUndefined();
  // Other changes of the bins are answered meanwhile.
  drag(page.tile("gallery", "image-4"), page.region("foil"));
  await settled();
  expect(text("image-1")).toBe("+1.20");
  answer(3, [TEXT]);
  page.kernel.sayProducts(
    [
      { image: "image-1", replaces: false },
      { image: "image-2", replaces: false },
    ],
    {
      ...NUMBERS,
      [TEXT]: 0.4,
    },
  );
  answer(3);
  await settled();
  expect(note()).toBeUndefined();
  expect([text("image-1"), text("image-2")]).toEqual(["+1.00", "+0.50"]); // (0.8 + 0.4) / 2 + 0.4
  expect(page.tile("corpus", TEXT).dataset.waiting).toBeUndefined();
});

test("the note counts members, and only those that the target uses", async () => {
  await start();
  page.kernel.set({ corpus: ["image-3", "image-8", "image-9"], foil: ["image-4", "image-7"] });
  answer(2, ["image-8", "image-9", "image-7"]);
  await settled();
  expect(note()).toContain("Waiting for 3 of 5 members: heatmaps still answer the bins without them");
  expect(text("image-1")).toBe("+1.20");
  page.kernel.set({ target: "corpus" });
  await settled();
  expect(note()).toContain("Waiting for 2 of 3 members");
  page.kernel.set({ corpus: ["image-3"] });
  await settled();
  expect(note()).toBeUndefined();
});

test("where no member is encoded, the earlier heatmaps stay and are marked as old", async () => {
  await start();
  page.kernel.set({ corpus: [TEXT] });
  answer(2, [TEXT]);
  await settled();
  expect(stale()).toEqual(["true", "true"]);
  expect(text("image-1")).toBe("+0.80");
  expect(note()).toContain("Waiting for “a dog”: there is no answer yet");
  expect(page.region("explicands").textContent).not.toContain("Nothing to explain");
});

test("a heatmap of the kernel stays undimmed while it answers the bins without the waiting member", async () => {
  page = await mount({ traits: { explicands: ["image-1", "image-2"], corpus: ["image-3"] } });
  page.kernel.sayHeatmaps([{ image: "image-1" }, { image: "image-2" }], 1);
  page.kernel.set({ corpus: ["image-3", TEXT] });
  answer(2, [TEXT], { space: 0 });
  expect(stale()).toEqual(["false", "false"]);
  answer(2, [], { space: 0 }); // the text is encoded, and the heatmaps are computed
  expect(stale()).toEqual(["true", "true"]);
  page.kernel.sayHeatmaps([{ image: "image-1" }], 2);
  expect(stale()).toEqual(["false", "true"]);
});

test("new weights mark heatmaps as old at once, until new products come", async () => {
  await start();
  answer(1, ["image-3"], { space: 2 });
  expect(stale()).toEqual(["true", "true"]);
  await settled();
  expect(note()).toContain("Waiting for image-3: there is no answer yet");
  drag(page.tile("gallery", "image-4"), page.region("corpus")); // its products are by the old weights
  expect(stale()).toEqual(["true", "true"]);
  page.kernel.sayProducts(["image-1"], { "image-1": 2, "image-3": 0.25 }, { space: 2 });
  answer(2, ["image-4"], { space: 2 });
  expect(stale()).toEqual(["false", "true"]);
  await settled();
  expect(text("image-1")).toBe("+0.50");
});

test("contributions are asked for once every member is encoded", async () => {
  await start();
  page.kernel.set({ corpus: ["image-3", TEXT] });
  answer(2, [TEXT]);
  await enlarge(page, "image-1");
  expect(page.kernel.requests("influence")).toHaveLength(0);
  answer(2);
  await vi.waitFor(() => expect(page.kernel.requests("influence")).toHaveLength(1));
});
