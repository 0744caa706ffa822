import { afterEach, expect, test, vi } from "vitest";
import { closePages, mount, type Page, pixel, press, settled } from "../page";

let page: Page;
afterEach(closePages);

const EXPLAINED = { explicands: ["image-1", "image-2"], corpus: ["image-3"] };
const canvas = (image: string) =>
  page.region("explicands").querySelector(`[data-image-id=${image}] canvas`) as HTMLCanvasElement;
const text = (image: string) => page.tile("explicands", image).querySelector(".score")?.textContent;
const at = (image: string, x: number) => pixel(canvas(image), x, 0.5);

test("a heatmap lies over the encoder's frame, the corpus side in the corpus colour", async () => {
  page = await mount({ traits: EXPLAINED });
  const before = Number(page.root.dataset.version);
  page.kernel.sayHeatmaps([{ image: "image-1", method: "rise", score: 0.3123, progress: 0.5 }]);
  expect(Number(page.root.dataset.version)).toBe(before + 1);
  expect(page.root.dataset.heatmapVersion).toBe("1");
  expect(canvas("image-1").dataset).toMatchObject({ heatmap: "image-1", method: "rise", progress: "0.5" });

  const photo = page.tile("explicands", "image-1").querySelector("img")?.getBoundingClientRect() as DOMRect;
  const heat = canvas("image-1").getBoundingClientRect();
  expect(heat.left).toBeCloseTo(photo.left + photo.width / 4, 0);
  expect(heat.width).toBeCloseTo(photo.width / 2, 0);
  expect(heat.height).toBeCloseTo(photo.height, 0);

  const [red, , blue, alpha] = at("image-1", 0.99); // the pattern runs from −1 at the left to +1 at the right
  expect(red).toBeGreaterThan(blue + 100);
  expect(alpha).toBeGreaterThan(200);
  const [otherRed, , otherBlue, otherAlpha] = at("image-1", 0.01);
  expect(otherBlue).toBeGreaterThan(otherRed + 100);
  expect(otherAlpha).toBeGreaterThan(200);
  expect(at("image-1", 0.5)[3]).toBeLessThan(20);
  await settled();
  expect(text("image-1")).toBe("+0.31");
  expect(page.tile("explicands", "image-1").ariaLabel).toBe("image-1, explained, score +0.312");
});

test("one scale for all by default; previews and other scales apart", async () => {
  page = await mount({ traits: EXPLAINED });
  const flat = () => 1;
  const weak = { image: "image-1", peak: 0.1, pattern: flat };
  page.kernel.sayHeatmaps([weak, { image: "image-2", peak: 0.4, pattern: flat }]);
  const shared = at("image-1", 0.5)[3];
  expect(shared).toBeLessThan(at("image-2", 0.5)[3] / 2);
  await settled();
  expect(page.root.querySelector(".legend-numbers")?.textContent).toBe("−0.400+0.40");
  expect(page.root.querySelector(".legend")?.textContent).toContain("one scale for all");

  page.kernel.set({ scale: "image" });
  expect(at("image-1", 0.5)[3]).toBe(at("image-2", 0.5)[3]);
  await settled();
  expect(page.root.querySelector(".legend")?.textContent).toContain("each its own scale");

  page.kernel.set({ scale: "shared" });
  page.kernel.sayHeatmaps([weak, { image: "image-2", peak: 0.4, method: "cam", preview: true, pattern: flat }]);
  expect(at("image-1", 0.5)[3]).toBe(at("image-2", 0.5)[3]);
  await settled();
  expect(page.tile("explicands", "image-2").textContent).toContain("CAM preview");
});

test("heatmaps of an older version are dropped, and those not renewed yet are marked as old", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([{ image: "image-1" }, { image: "image-2" }], 5);
  page.kernel.sayHeatmaps([{ image: "image-1", pattern: () => 1 }], 6);
  expect(canvas("image-2").dataset.stale).toBe("true");
  expect(canvas("image-1").dataset.stale).toBe("false");
  const painted = at("image-1", 0.1);
  page.kernel.sayHeatmaps([{ image: "image-1", pattern: () => -1 }], 5);
  expect(at("image-1", 0.1)).toEqual(painted);
  expect(page.root.dataset.heatmapVersion).toBe("6");
  page.kernel.sayHeatmaps([{ image: "image-2" }], 6);
  expect(canvas("image-2").dataset.stale).toBe("false");
});

test("nothing to explain clears the heatmaps and says why", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([{ image: "image-1" }], 1);
  page.kernel.say({ kind: "heatmaps", version: 2, items: [], failed: [], nothing: "The corpus is empty." });
  await settled();
  expect(canvas("image-1").dataset.heatmap).toBeUndefined();
  expect(at("image-1", 0.9)[3]).toBe(0);
  expect(text("image-1")).toBeUndefined();
  expect(page.region("explicands").textContent).toContain("The corpus is empty.");
});

test("the page reports what is shown, at which size, and only when that differs", async () => {
  page = await mount({ traits: { explicands: ["image-1"] } });
  await vi.waitFor(() => expect(page.kernel.requests("watch").at(-1)?.explicands).toBeGreaterThan(100));
  const watch = page.kernel.requests("watch").at(-1);
  expect(watch).toMatchObject({ gallery: 0 });
  expect(watch?.visible).toContain("image-0");
  const count = page.kernel.requests("watch").length;
  page.kernel.set({ opacity: 0.3 });
  await settled();
  expect(page.kernel.requests("watch")).toHaveLength(count);
  page.kernel.set({ gallery_heatmaps: true });
  await settled();
  await settled();
  expect(page.kernel.requests("watch").at(-1)?.gallery).toBe(96);
});

test("a value is read at the pointer", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([{ image: "image-1", peak: 0.5 }]);
  const { right, top } = canvas("image-1").getBoundingClientRect();
  const probe = page.tile("explicands", "image-1").querySelector(".probe") as HTMLElement;
  const { left } = canvas("image-1").getBoundingClientRect();
  probe.dispatchEvent(
    new PointerEvent("pointermove", { clientX: (left + 3 * right) / 4, clientY: top + 5, bubbles: true }),
  );
  await settled();
  expect(probe.textContent).toMatch(/^\+0\.2[3-7]$/);
  expect(page.root.querySelector<HTMLElement>(".marker")?.style.left).toMatch(/^7\d/);
});

test("Enter enlarges, arrows step, Space shows the photograph, Escape gives the focus back", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([{ image: "image-1" }, { image: "image-2" }]);
  page.tile("explicands", "image-1").focus();
  press(page.tile("explicands", "image-1"), "Enter");
  await settled();
  const dialog = page.root.querySelector("[role=dialog]") as HTMLElement;
  expect(dialog.contains(document.activeElement)).toBe(true);
  await vi.waitFor(() => expect(dialog.querySelector("canvas.heat")?.getAttribute("data-heatmap")).toBe("image-1"));
  press(dialog, "ArrowRight");
  await settled();
  expect(dialog.ariaLabel).toContain("image-2");
  press(dialog, " ");
  await settled();
  expect(getComputedStyle(dialog.querySelector("canvas.heat") as Element).opacity).toBe("0");
  press(dialog, "Escape");
  await settled();
  expect(page.root.querySelector("[role=dialog]")).toBeNull();
  expect(document.activeElement).toBe(page.tile("explicands", "image-1"));
});
