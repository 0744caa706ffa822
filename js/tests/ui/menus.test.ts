import { afterEach, expect, test, vi } from "vitest";
import { closePages, mount, type Page, press, settled } from "../page";

let page: Page;
afterEach(closePages);

const button = (setting: string) => page.root.querySelector(`[data-setting=${setting}]`) as HTMLElement;
const list = () => page.root.querySelector("[role=menu]") as HTMLElement;
const item = (name: string) => list().querySelector(`[data-value="${name}"]`) as HTMLElement;
const open = async (setting: string) => {
  button(setting).click();
  await vi.waitFor(() => expect(list().contains(document.activeElement)).toBe(true));
};

test.each([
  ["baseline", "black", "Black"],
  ["layer", "stability", "Deviation over resampled bins"],
] as const)("the %s is chosen from what the kernel offers", async (setting, name, label) => {
  page = await mount();
  expect(button(setting).ariaLabel).toMatch(setting === "baseline" ? /Blur/ : /Attribution/);
  await open(setting);
  item(name).click();
  await settled();
  expect(page.kernel.traits[setting]).toBe(name);
  expect(page.kernel.saves).toBe(1);
  expect(button(setting).textContent).toContain(label);
  expect(list()).toBeNull();
  page.kernel.set({ [setting]: setting === "baseline" ? "mean" : "error" });
  await settled();
  expect(button(setting).dataset.value).toBe(setting === "baseline" ? "mean" : "error");
});

test("an unavailable entry says why and cannot be chosen", async () => {
  page = await mount();
  await open("baseline");
  expect(item("noise").ariaDisabled).toBe("true");
  expect(item("noise").textContent).toContain("CAM does not use a baseline");
  item("noise").click();
  await settled();
  expect(page.kernel.traits.baseline).toBe("blur");
  expect(list()).not.toBeNull();
});

test("a kernel that knows neither baselines nor layers has no such menus", async () => {
  page = await mount({ catalogue: { baselines: undefined, layers: undefined }, traits: { explicands: ["image-1"] } });
  expect(button("baseline")).toBeNull();
  expect(button("layer")).toBeNull();
  expect(button("method")).not.toBeNull();
  page.kernel.sayHeatmaps([{ image: "image-1", layer: undefined as never }]);
  await settled();
  expect(page.root.querySelector<HTMLElement>(".legend")?.dataset.layer).toBe("attribution");
});

test("a long list scrolls inside the page", async () => {
  page = await mount({ traits: { height: 340 } });
  await open("method");
  const [inner, outer] = [list().getBoundingClientRect(), page.root.getBoundingClientRect()];
  expect(inner.bottom).toBeLessThan(outer.bottom);
  expect(list().scrollHeight).toBeGreaterThan(list().clientHeight + 100);
  press(document.activeElement as Element, "End");
  expect((document.activeElement as HTMLElement).dataset.value).toBe("random");
  const last = item("random").getBoundingClientRect();
  expect(last.bottom).toBeLessThanOrEqual(inner.bottom);
  expect(page.root.scrollTop).toBe(0);
});

test("a letter leads to the next entry that begins with it", async () => {
  page = await mount();
  await open("method");
  const at = () => (document.activeElement as HTMLElement).dataset.value;
  press(document.activeElement as Element, "s");
  expect(at()).toBe("smooth_grad");
  press(document.activeElement as Element, "s");
  expect(at()).toBe("saliency");
  press(document.activeElement as Element, "S");
  expect(at()).toBe("smooth_grad");
});

test("a narrow toolbar folds what is seldom changed, and its menus stay inside", async () => {
  page = await mount({ width: 400 });
  const shown = (setting: string) => button(setting).getClientRects().length > 0;
  expect(["method", "target", "layer"].map(shown)).toEqual([true, true, true]);
  expect(["baseline", "similarity", "opacity", "colormap"].map(shown)).toEqual([false, false, false, false]);
  const unfold = page.root.querySelector("[data-action=settings]") as HTMLElement;
  expect(unfold.ariaExpanded).toBe("false");
  unfold.click();
  await settled();
  expect(unfold.ariaExpanded).toBe("true");
  expect(["baseline", "similarity", "opacity", "colormap"].map(shown)).toEqual([true, true, true, true]);
  expect(page.root.scrollWidth).toBeLessThanOrEqual(page.root.clientWidth);
  for (const setting of ["colormap", "method"]) {
    await open(setting);
    const [inner, outer] = [list().getBoundingClientRect(), page.root.getBoundingClientRect()];
    expect(inner.right).toBeLessThan(outer.right);
    expect(inner.left).toBeGreaterThan(outer.left);
    press(document.activeElement as Element, "Escape");
    await settled();
  }
});

test("a wide toolbar shows everything in one row", async () => {
  page = await mount({ width: 1060 });
  expect(page.root.querySelector("[data-action=settings]")?.getClientRects()).toHaveLength(0);
  expect((page.root.querySelector(".toolbar") as HTMLElement).offsetHeight).toBeLessThan(56);
});
