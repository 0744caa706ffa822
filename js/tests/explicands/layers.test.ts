import { afterEach, expect, test } from "vitest";
import { closePages, mount, type Page, pixel, settled } from "../page";

let page: Page;
afterEach(closePages);

const EXPLAINED = { explicands: ["image-1", "image-2"], corpus: ["image-3"], layer: "error" };
const canvas = (image: string) =>
  page.region("explicands").querySelector(`[data-image-id=${image}] canvas`) as HTMLCanvasElement;
const at = (image: string, x: number) => pixel(canvas(image), x, 0.5);
const legend = () => page.root.querySelector(".legend") as HTMLElement;
const amount = { image: "image-1", layer: "error", peak: 0.4, pattern: (x: number) => x };

test("amounts are painted in one hue, which is neither the corpus's nor the foil's", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([amount]);
  expect(canvas("image-1").dataset.layer).toBe("error");
  const [red, green, blue, alpha] = at("image-1", 0.99);
  expect(green).toBeGreaterThan(red + 50);
  expect(green).toBeGreaterThan(blue + 20);
  expect(alpha).toBeGreaterThan(200);
  expect(at("image-1", 0.01)[3]).toBeLessThan(30);
  expect(at("image-1", 0.5)[3]).toBeGreaterThan(at("image-1", 0.2)[3] + 20);

  page.kernel.set({ colormap: "purple-green" });
  const [red2, green2, blue2] = at("image-1", 0.99);
  expect(Math.min(red2, green2)).toBeGreaterThan(blue2 + 50);
});

test("the legend goes from zero to the largest value and says of what", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([amount, { ...amount, image: "image-2", peak: 0.1 }]);
  await settled();
  expect(legend().dataset.layer).toBe("error");
  expect(legend().textContent).toContain("Standard error");
  expect(legend().textContent).not.toContain("foil");
  expect(legend().querySelector(".legend-numbers")?.textContent).toBe("00.39");
  const bar = legend().querySelector("canvas") as HTMLCanvasElement;
  expect(pixel(bar, 0.01, 0)[3]).toBeLessThan(30);
  const [red, green, blue] = at("image-1", 0.999);
  const end = pixel(bar, 0.99, 0);
  expect(Math.hypot(end[0] - red, end[1] - green, end[2] - blue)).toBeLessThan(5);

  page.kernel.sayHeatmaps([{ ...amount, layer: "stability" }]);
  await settled();
  expect(legend().textContent).toContain("Deviation over resampled bins");
  page.kernel.sayHeatmaps([{ image: "image-1" }]);
  await settled();
  expect(legend().dataset.layer).toBe("attribution");
  expect(legend().querySelector(".legend-numbers")?.textContent).toBe("−0.480+0.48");
});

test("amounts share a scale among themselves, or each image has its own", async () => {
  page = await mount({ traits: EXPLAINED });
  const flat = { layer: "error", pattern: () => 1 };
  page.kernel.sayHeatmaps([
    { ...flat, image: "image-1", peak: 0.1 },
    { ...flat, image: "image-2", peak: 0.4 },
  ]);
  expect(at("image-1", 0.5)[3]).toBeLessThan(at("image-2", 0.5)[3] * 0.6);
  page.kernel.set({ scale: "image" });
  expect(at("image-1", 0.5)[3]).toBe(at("image-2", 0.5)[3]);
  await settled();
  expect(legend().querySelector(".legend-numbers")?.textContent).toBe("0strongest");
  page.kernel.set({ scale: "shared" });
  // An attribution that is about to be replaced is not part of the scale of amounts.
  page.kernel.sayHeatmaps([
    { ...flat, image: "image-1", peak: 0.1 },
    { image: "image-2", peak: 9, layer: "attribution" },
  ]);
  expect(at("image-1", 0.5)[3]).toBeGreaterThan(200);
  await settled();
  expect(legend().querySelector(".legend-numbers")?.textContent).toBe("00.10");
});

test("the probe reads an amount without a sign", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([amount]);
  const { left, width, top } = canvas("image-1").getBoundingClientRect();
  const probe = page.tile("explicands", "image-1").querySelector(".probe") as HTMLElement;
  const clientX = left + 0.75 * width;
  probe.dispatchEvent(new PointerEvent("pointermove", { clientX, clientY: top + 5, bubbles: true }));
  await settled();
  expect(probe.textContent).toMatch(/^0\.(29|30|31)$/);
  expect(Number.parseFloat(page.root.querySelector<HTMLElement>(".marker")?.style.left ?? "")).toBeCloseTo(77, -0.5);
});
