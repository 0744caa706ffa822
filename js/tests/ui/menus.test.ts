import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { closePages, mount, type Page, press, settled } from "../page";

let page: Page;
afterEach(() => {
  closePages();
  sessionStorage.clear();
});

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
  unfold().click();
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
  unfold().click();
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

const unfold = () => page.root.querySelector("[data-action=settings]") as HTMLElement;
const FIRST = ["method", "target", "layer"];
const FOLDED = ["baseline", "similarity", "opacity", "colormap"];
const areShown = (settings: string[]) => settings.map((setting) => button(setting).getClientRects().length > 0);

test.each([400, 1200])("what is seldom changed is folded away at %d pixels, until it is asked for", async (width) => {
  page = await mount({ width });
  expect(areShown(FIRST)).toEqual([true, true, true]);
  expect(areShown(FOLDED)).toEqual([false, false, false, false]);
  expect([unfold().ariaExpanded, unfold().textContent]).toEqual(["false", "More"]);
  unfold().click();
  await settled();
  expect(unfold().ariaExpanded).toBe("true");
  expect(areShown(FOLDED)).toEqual([true, true, true, true]);
  // The next tab stop is the first of what was unfolded.
  unfold().focus();
  await userEvent.tab();
  expect(document.activeElement).toBe(button("baseline"));
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

test("the browser remembers for its session that the toolbar is unfolded", async () => {
  page = await mount();
  unfold().click();
  closePages();
  page = await mount();
  expect(areShown(FOLDED)).toEqual([true, true, true, true]);
  unfold().click();
  closePages();
  page = await mount();
  expect(areShown(FOLDED)).toEqual([false, false, false, false]);
});

test("a wide toolbar shows everything in one row", async () => {
  page = await mount({ width: 1200 });
  unfold().click();
  await settled();
  expect((page.root.querySelector(".toolbar") as HTMLElement).offsetHeight).toBeLessThan(56);
});
