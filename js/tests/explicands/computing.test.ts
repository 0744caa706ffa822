import { afterEach, expect, test, vi } from "vitest";
import { closePages, drag, enlarge, mount, type Page, pixel, settled } from "../page";

/** Heatmaps that the page computes. With one number for each image, an image's heatmap is −w at the left and 2w at the right. */

let page: Page;
afterEach(closePages);

const NUMBERS = { "image-1": 1, "image-2": 0.5, "image-3": 0.8, "image-4": -0.4, "image-5": 0.2 };
const EXPLAINED = { explicands: ["image-1", "image-2"], corpus: ["image-3"] };
const canvas = (image: string, region = "explicands") =>
  page.region(region).querySelector(`[data-image-id=${image}] canvas`) as HTMLCanvasElement;
const text = (image: string) => page.tile("explicands", image).querySelector(".score")?.textContent;
const repaints = () => Number(page.root.dataset.version);
/** The sign and the strength of the colour at the right of a heatmap. */
const colour = (image: string, x = 0.9, region = "explicands") => {
  const [red, , blue, alpha] = pixel(canvas(image, region), x, 0.5);
  return Math.sign(red - blue) * alpha;
};
const peak = () => page.root.querySelector(".legend-numbers")?.textContent;

async function start(options: Parameters<typeof mount>[0] = {}): Promise<void> {
  page = await mount({ traits: EXPLAINED, ...options });
  page.kernel.sayProducts(["image-1", "image-2"], NUMBERS);
}

test("products become heatmaps, scores and the scale at once", async () => {
  page = await mount({ traits: EXPLAINED });
  const before = repaints();
  page.kernel.sayProducts(["image-1", "image-2"], NUMBERS);
  expect(repaints()).toBe(before + 1);
  expect(canvas("image-1").dataset).toMatchObject({
    heatmap: "image-1",
    method: "rise",
    progress: "1",
    stale: "false",
  });
  expect(colour("image-1")).toBeGreaterThan(200);
  expect(colour("image-1", 0.1)).toBeLessThan(-100);
  expect(colour("image-1")).toBe(colour("image-2")); // M is the same for both
  await settled();
  expect([text("image-1"), text("image-2")]).toEqual(["+0.80", "+0.40"]);
  expect(peak()).toBe("−1.60+1.6");
});

test("a drop repaints before the event is over, and the kernel's answer without items keeps what is computed", async () => {
  await start();
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] });
  const before = repaints();
  drag(page.tile("gallery", "image-4"), page.region("corpus"));
  expect(repaints()).toBeGreaterThan(before);
  await settled();
  expect([text("image-1"), text("image-2")]).toEqual(["+0.20", "+0.10"]);
  page.kernel.say({ kind: "heatmaps", version: 2, items: [], failed: [] });
  expect(canvas("image-1").dataset).toMatchObject({ stale: "false", heatmapVersion: "2" });
  await settled();
  expect(text("image-1")).toBe("+0.20");
});

test("undo, code and other views change heatmaps in the same way", async () => {
  await start();
  page.kernel.set({ corpus: [], foil: ["image-3"] });
  expect(colour("image-1")).toBeLessThan(-200);
  page.kernel.set({ target: "contrastive_label_free" });
  await settled();
  expect(text("image-1")).toBe("+0.20");
  page.kernel.set({ target: "label_free" });
  await settled();
  expect([text("image-1"), text("image-2")]).toEqual(["+1.00", "+0.25"]);
});

test("a member without products leaves the heatmap as it is, until they come", async () => {
  await start();
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] });
  page.kernel.set({ corpus: ["image-3", "image-9"] });
  expect(canvas("image-1").dataset.stale).toBe("false"); // the kernel's answer may be on its way
  page.kernel.say({ kind: "heatmaps", version: 2, items: [], failed: [] });
  expect(canvas("image-1").dataset.stale).toBe("true");
  const more = { members: ["image-9"] };
  page.kernel.sayProducts([{ image: "image-1", replaces: false }], { ...NUMBERS, "image-9": 0.4 }, more);
  expect(canvas("image-1").dataset.stale).toBe("false");
  expect(canvas("image-2").dataset.stale).toBe("true");
  await settled();
  expect(text("image-1")).toBe("+0.60");
});

test("the deviation over draws of the bins is computed, too; other layers are the kernel's", async () => {
  await start();
  page.kernel.set({ layer: "stability", corpus: ["image-3", "image-4"] });
  expect(canvas("image-1").dataset).toMatchObject({ layer: "stability", stale: "false" });
  await settled();
  expect(peak()).toBe("01.2"); // |0.8 + 0.4| / 2, doubled at the right
  page.kernel.set({ corpus: ["image-3", "image-5"] });
  await settled();
  expect(peak()).toBe("00.60");
  page.kernel.set({ layer: "error" });
  expect(canvas("image-1").dataset.layer).toBe("stability"); // until the kernel answers
});

test("members that could not be encoded are left out", async () => {
  await start();
  page.kernel.set({ corpus: ["image-3", "image-9"] });
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: ["image-9"] });
  expect(canvas("image-1").dataset.stale).toBe("false");
  await settled();
  expect(text("image-1")).toBe("+0.80");
  page.kernel.set({ corpus: ["image-9"] });
  await settled();
  expect(page.region("explicands").textContent).toContain("None of the images in a bin could be encoded");
});

test("products fit the settings that they were made for", async () => {
  await start();
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] });
  page.kernel.set({ similarity: "dot" });
  page.kernel.set({ corpus: ["image-4"] });
  await settled();
  expect(text("image-1")).toBe("+0.80");
  page.kernel.say({ kind: "heatmaps", version: 2, items: [], failed: [] });
  expect(canvas("image-1").dataset.stale).toBe("true");
  page.kernel.sayProducts(["image-1"], { ...NUMBERS, "image-4": -2 }, { space: 2 });
  page.kernel.sayProducts(["image-1", "image-2"], NUMBERS, { space: 1 });
  expect(canvas("image-1").dataset.stale).toBe("false");
  expect(canvas("image-2").dataset.stale).toBe("true");
  await settled();
  expect(text("image-1")).toBe("−2.00");
});

test("what was computed from products that no longer hold is old", async () => {
  await start();
  page.kernel.sayProducts(["image-2"], NUMBERS, { space: 2 });
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] });
  expect([canvas("image-1").dataset.stale, canvas("image-2").dataset.stale]).toEqual(["true", "false"]);
});

test("the page says at once that there is nothing to explain, and when there is again", async () => {
  await start();
  page.kernel.set({ corpus: [] });
  expect(colour("image-1")).toBe(0);
  await settled();
  expect(page.region("explicands").textContent).toContain("put images into the corpus, the foil, or both");
  expect(text("image-1")).toBeUndefined();
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [], nothing: "The corpus is empty." });
  page.kernel.set({ corpus: ["image-3"] });
  await settled();
  expect(text("image-1")).toBe("+0.80");
  // The kernel's answer to the earlier bins comes late.
  page.kernel.say({ kind: "heatmaps", version: 2, items: [], failed: [], nothing: "The corpus is empty." });
  await settled();
  expect(text("image-1")).toBe("+0.80");
  expect(page.region("explicands").textContent).not.toContain("empty");
});

test("the kernel's heatmap is shown where it is sharper, or of another layer", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayProducts([{ image: "image-1", method: "cam", preview: true, progress: 0 }, "image-2"], NUMBERS);
  const item = { peak: 4, score: 0.7, pattern: () => -1 };
  page.kernel.sayHeatmaps([
    { image: "image-1", ...item },
    { image: "image-2", ...item },
  ]);
  expect([canvas("image-1").dataset.method, colour("image-1") < -200]).toEqual(["rise", true]);
  expect(colour("image-2")).toBeGreaterThan(50);
  // The products have caught up.
  page.kernel.sayProducts(["image-1"], NUMBERS);
  expect(colour("image-1")).toBeGreaterThan(50);
  page.kernel.set({ layer: "error" });
  page.kernel.sayHeatmaps([{ image: "image-1", ...item, layer: "error" }]);
  expect(canvas("image-1").dataset.layer).toBe("error");
  page.kernel.sayProducts(["image-1"], NUMBERS);
  expect(canvas("image-1").dataset.layer).toBe("error");
  page.kernel.set({ layer: "attribution" });
  expect(canvas("image-1").dataset.layer).toBe("attribution");
});

test("without a kernel the page goes on computing", async () => {
  await start({ comm: true });
  page.kernel.sayHeatmaps([{ image: "image-2", progress: 2 }]);
  page.kernel.cutOff();
  drag(page.tile("gallery", "image-4"), page.region("corpus"));
  expect(canvas("image-1").dataset.stale).toBe("false");
  await settled();
  expect(text("image-1")).toBe("+0.20");
  expect(page.tile("explicands", "image-1").textContent).not.toContain("from before");
  drag(page.tile("gallery", "image-9"), page.region("corpus")); // its products will never come
  expect(canvas("image-1").dataset.stale).toBe("true");
  await settled();
  expect(page.tile("explicands", "image-1").textContent).toContain("from before");
});

test("the gallery's heatmaps follow, in fewer pixels", async () => {
  page = await mount({ traits: { ...EXPLAINED, gallery_heatmaps: true } });
  page.kernel.sayProducts(["image-1", "image-7"], NUMBERS);
  expect(colour("image-7", 0.9, "gallery")).toBeGreaterThan(200);
  page.kernel.set({ corpus: ["image-4"] });
  expect(colour("image-7", 0.9, "gallery")).toBeLessThan(-200);
  await settled();
  expect(page.tile("gallery", "image-1").querySelector(".mini-score")?.textContent).toBe("−0.400");
});

test("an image that is no longer shown is forgotten", async () => {
  await start();
  page.kernel.set({ explicands: ["image-2"] });
  await settled();
  page.kernel.set({ corpus: ["image-5"] }); // an update
  page.kernel.set({ explicands: ["image-1", "image-2"] });
  await settled();
  await settled();
  expect(text("image-1")).toBeUndefined();
  expect(text("image-2")).toBe("+0.10");
});

test("the shares of the members follow at once; what only the kernel knows stays, marked as old", async () => {
  await start();
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] });
  await enlarge(page, "image-1");
  const section = () => page.root.querySelector("[data-insight=influence]") as HTMLElement;
  const rows = () =>
    [...section().querySelectorAll<HTMLElement>("[data-member]")].map((row) =>
      [row.dataset.member, ...[...row.querySelectorAll(".member-number")].map((cell) => cell.textContent)].join(" "),
    );
  expect(rows()).toEqual(["image-3 +0.800 –"]);
  const [request] = page.kernel.requests("influence");
  const member = { image: "image-3", bin: "corpus", share: 0.8, change: 0.25, outlier: false };
  page.kernel.say({ kind: "influence", id: request?.id, image: "image-1", score: 0.8, members: [member] });
  await settled();
  expect(rows()).toEqual(["image-3 +0.800 25 %"]);
  expect(section().dataset.phase).toBe("ready");
  page.kernel.set({ corpus: ["image-3", "image-5"], foil: ["image-4"] });
  await settled();
  expect(rows()).toEqual(["image-3 +0.400 25 %", "image-4 +0.400 –", "image-5 +0.100 –"]);
  expect(section().textContent).toMatch(/Score \+0\.900 · corpus \+0\.500 · foil \+0\.400/);
  expect(section().dataset.phase).toBe("stale");
  expect(section().querySelector("[data-stale]")).toBeNull();
  page.kernel.say({ kind: "heatmaps", version: 2, items: [], failed: [] });
  await vi.waitFor(() => expect(page.kernel.requests("influence")).toHaveLength(2));
});

test("products that the kernel has dropped are forgotten, and the heatmap is old with the next answer", async () => {
  await start();
  page.kernel.sayProducts(["image-2"], NUMBERS, { dropped: ["image-1"] });
  page.kernel.set({ corpus: ["image-5"] });
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] });
  expect([canvas("image-1").dataset.stale, canvas("image-2").dataset.stale]).toEqual(["true", "false"]);
  await settled();
  expect([text("image-1"), text("image-2")]).toEqual(["+0.80", "+0.10"]);
});

test("the page reports which explicands are on screen, the enlarged one included", async () => {
  await start();
  const seen = () => page.kernel.requests("watch").at(-1)?.seen;
  await vi.waitFor(() => expect(seen()).toEqual(["image-1", "image-2"]));
  page.kernel.set({ explicands: ["image-2"] });
  await vi.waitFor(() => expect(seen()).toEqual(["image-2"]));
});
