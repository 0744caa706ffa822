import { afterEach, expect, test, vi } from "vitest";
import { closePages, mount, type Page, pixel, settled } from "../page";

/** How heatmaps are painted in each look, what the legend says about it, and heatmaps unlike those of photographs. */

let page: Page;
afterEach(closePages);

const EXPLAINED = { explicands: ["image-1"], corpus: ["image-3"] };
const canvas = (image = "image-1") =>
  page.region("explicands").querySelector(`[data-image-id=${image}] canvas.heat`) as HTMLCanvasElement;
const at = (x: number, y = 0.5) => pixel(canvas(), x, y);
const legend = () => page.root.querySelector(".legend") as HTMLElement;
const numbers = () => legend().querySelector(".legend-numbers")?.textContent;

/** The part of the canvas's pixels that are so. */
function share(is: (red: number, green: number, blue: number, alpha: number) => boolean): number {
  const { width, height } = canvas();
  const context = canvas().getContext("2d") as CanvasRenderingContext2D;
  const { data } = context.getImageData(0, 0, width, height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4)
    if (is(...([...data.slice(i, i + 4)] as [number, number, number, number]))) found++;
  return found / (width * height);
}

const filter = () => getComputedStyle(page.tile("explicands", "image-1").querySelector("img") as HTMLElement).filter;

test("a tint leaves weak values alone, and colours the photograph's light and shade", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([{ image: "image-1" }]); // from −1 at the left to 1 at the right
  expect([at(0.47)[3], at(0.53)[3]]).toEqual([0, 0]); // 6 % of the end
  expect(at(0.575)[3]).toBeLessThan(20); // 15 %
  expect(at(0.8)[3]).toBeGreaterThan(180); // 60 %
  expect(getComputedStyle(canvas()).mixBlendMode).toBe("hard-light");
  expect(filter()).toMatch(/^grayscale\(1\) contrast\(0\.\d+\)$/);
  expect(legend().textContent).toContain("weak is grey");
});

test("contours are lines at 35 and 70 % of the scale, each sign in its colour", async () => {
  page = await mount({ traits: { ...EXPLAINED, look: "contours" } });
  page.kernel.sayHeatmaps([{ image: "image-1", pattern: (x) => 1.25 * (2 * x - 1) }]);
  const end = 31 / 32; // the centre of the last of 32 columns
  for (const sign of [1, -1]) {
    for (const level of [0.35, 0.7]) {
      const [red, , blue, alpha] = at(0.5 + (sign * level * end) / 2);
      expect(alpha).toBeGreaterThan(150);
      expect(sign * (red - blue)).toBeGreaterThan(80);
    }
  }
  for (const x of [0.1, 0.25, 0.5, 0.75, 0.9]) expect(at(x)[3]).toBe(0);
  expect(getComputedStyle(canvas()).mixBlendMode).toBe("normal");
  expect(legend().textContent).toContain("lines at 35, 70 %");
});

test("a spotlight leaves the strongest part bright, of either sign, and its slider works at once", async () => {
  page = await mount({ traits: { ...EXPLAINED, look: "spotlight", spotlight: 0.3 } });
  page.kernel.sayHeatmaps([{ image: "image-1", shape: [96, 96] }]);
  const bright = () => share((_red, _green, _blue, alpha) => alpha < 30);
  const edges = () => share((_red, _green, _blue, alpha) => alpha > 250);
  expect(bright() + edges() / 2).toBeGreaterThan(0.27);
  expect(bright()).toBeLessThan(0.3);
  expect(at(0.5)[3]).toBeGreaterThan(180);
  expect([at(0.05)[3], at(0.95)[3]]).toEqual([0, 0]);
  expect(share((red, _green, blue, alpha) => alpha > 250 && red > blue + 100)).toBeGreaterThan(0.002);
  expect(share((red, _green, blue, alpha) => alpha > 250 && blue > red + 100)).toBeGreaterThan(0.002);
  expect(filter()).toBe("none");
  await settled();
  expect(legend().textContent).toContain("the strongest 30 % of each");
  expect(legend().querySelector(".color-bar")).toBeNull();

  const slider = legend().querySelector("[data-setting=spotlight]") as HTMLInputElement;
  slider.value = "5";
  slider.dispatchEvent(new InputEvent("input", { bubbles: true }));
  expect(page.kernel.traits.spotlight).toBe(0.05);
  expect(bright()).toBeLessThan(0.05);
  await settled();
  expect(legend().textContent).toContain("the strongest 5 % of each");
});

test("the menu of looks repaints and tells the kernel; values stay what they are", async () => {
  page = await mount({ traits: EXPLAINED });
  page.kernel.sayHeatmaps([{ image: "image-1" }]);
  await settled();
  const before = Number(page.root.dataset.version);
  (legend().querySelector("[data-setting=look]") as HTMLElement).click();
  await settled();
  (legend().querySelector("[data-value=spotlight][role=menuitemradio]") as HTMLElement).click();
  expect(page.kernel.traits.look).toBe("spotlight");
  expect(Number(page.root.dataset.version)).toBe(before + 1);
  expect(page.root.dataset.look).toBe("spotlight");
  expect(at(0.5)[3]).toBeGreaterThan(180);
});

test("one outlier a thousand times the rest is clipped, which the legend says", async () => {
  page = await mount({ traits: EXPLAINED });
  const pattern = (x: number, y: number) => (x > 0.96 && y > 0.96 ? 1 : x < 0.5 ? -0.001 : 0.001);
  page.kernel.sayHeatmaps([{ image: "image-1", peak: 0.5, shape: [32, 32], pattern }]);
  await settled();
  expect(at(0.25)[3]).toBeGreaterThan(240);
  expect(numbers()).toBe("−500millionths+500");
  expect(legend().textContent).toContain("clipped beyond");
  expect(legend().querySelector("[title$='the largest is 0.50']")).not.toBeNull();

  page.kernel.sayHeatmaps([{ image: "image-1", pattern: () => -1 }]);
  await settled();
  expect(legend().textContent).not.toContain("clipped");
  expect(numbers()).toBe("−0.500+0.50");
});

test.each(["tint", "contours", "spotlight"] as const)(
  "broken and empty heatmaps are painted as nothing: %s",
  async (look) => {
    page = await mount({ traits: { ...EXPLAINED, look } });
    const rest = look === "spotlight" ? (alpha: number) => alpha > 180 : (alpha: number) => alpha === 0;
    for (const broken of [
      { peak: 0 },
      { pattern: () => 0 },
      { pattern: () => Number.NaN },
      { peak: Number.NaN, pattern: () => 0 },
      { pattern: () => 0, shape: [1, 1] as [number, number] },
    ]) {
      page.kernel.sayHeatmaps([{ image: "image-1", ...broken }]);
      expect(share((_red, _green, _blue, alpha) => rest(alpha))).toBe(1);
    }
    await settled();
    expect(legend()).toBeTruthy();
  },
);

test("a broken heatmap does not take the scale from the others", async () => {
  page = await mount({ traits: { ...EXPLAINED, explicands: ["image-1", "image-2"] } });
  page.kernel.sayHeatmaps([
    { image: "image-2", peak: Number.NaN },
    { image: "image-1", peak: 0.4, pattern: () => 1 },
  ]);
  await settled();
  expect(numbers()).toBe("−0.400+0.40");
  expect(at(0.5)[3]).toBeGreaterThan(240);
  expect(pixel(canvas("image-2"), 0.9, 0.5)[3]).toBe(0);
});

test("where all is equally strong, all of it is in the spotlight, without an edge", async () => {
  page = await mount({ traits: { ...EXPLAINED, look: "spotlight" } });
  page.kernel.sayHeatmaps([{ image: "image-1", pattern: () => 1 }]);
  expect(share((_red, _green, _blue, alpha) => alpha === 0)).toBe(1);
});

test("what differs from pixel to pixel is smoothed for display, and read as it is", async () => {
  page = await mount({ traits: EXPLAINED });
  // Noise of either sign, on the left around zero and on the right around a half.
  const noise = (x: number, y: number) => (Math.floor(x * 112) + Math.floor(y * 112)) % 2 === 0;
  const pattern = (x: number, y: number) => (noise(x, y) ? 0.5 : -0.5) + (x > 0.5 ? 0.5 : 0);
  const heatmap = { image: "image-1", shape: [112, 112] as [number, number], peak: 1, pattern };
  page.kernel.sayHeatmaps([{ ...heatmap, pixelwise: true }]);
  await settled();
  expect(share((red, _green, blue, alpha) => alpha > 200 && red > blue)).toBeGreaterThan(0.4);
  expect(share((red, _green, blue, alpha) => alpha > 30 && blue > red)).toBe(0);
  expect(legend().textContent).toContain("smoothed for display");
  expect(numbers()).toBe("−0.500+0.50");
  const { left, top, width, height } = canvas().getBoundingClientRect();
  const probe = page.tile("explicands", "image-1").querySelector(".probe") as HTMLElement;
  probe.dispatchEvent(
    new PointerEvent("pointermove", { clientX: left + 0.8 * width, clientY: top + 0.5 * height, bubbles: true }),
  );
  await settled();
  expect(probe.textContent).toMatch(/^(\+1\.0|0), smoothed \+0\.(49|50|51)$/);

  page.kernel.sayHeatmaps([heatmap]);
  await vi.waitFor(() => expect(legend().textContent).not.toContain("smoothed"));
  expect(numbers()).toBe("−1.00+1.0");
});
