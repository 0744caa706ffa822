import { afterEach, expect, test, vi } from "vitest";
import { closePages, mount, type Page, pixel, point, press, settled } from "../page";

/** Pointing at a place of an explicand shows where other images look the same, and leaving it what was shown before. */

let page: Page;
afterEach(() => {
  vi.restoreAllMocks();
  closePages();
});

/** Two rows and three columns of cells; the number of each is the direction, and the images' are their cosines with it. */
const cells = (origin = "cam.1", image = "image-1") =>
  Array.from({ length: 6 }, (_, i) => `cell:${origin}:2x3:${i}:${image}`);
const numbersOf = (origin?: string, image?: string) =>
  Object.fromEntries(cells(origin, image).map((cell, i) => [cell, (i + 1) / 10]));
const NUMBERS = { "image-1": 1, "image-2": 0.5, "image-3": 0.8, "image-4": -1 };
const canvas = (image: string, region = "explicands") =>
  page.region(region).querySelector(`[data-image-id=${image}] canvas`) as HTMLCanvasElement;
const previews = () =>
  ["image-1", "image-2", "image-3"].map((image) => canvas(image)?.dataset.preview).filter(Boolean).length;
const score = (image: string) => page.tile("explicands", image).querySelector(".score")?.textContent;
const tag = (image: string) => page.tile("explicands", image).querySelector(".tag")?.textContent;
const mark = () => page.root.querySelector<HTMLElement>(".cell-mark");
const button = (image: string) =>
  page.root.querySelector(`[data-tools-of=${image}] [data-action=where-else]`) as HTMLElement;
const watch = () => page.kernel.requests("watch").at(-1);
const announcement = () => page.root.querySelector(".announcer")?.textContent ?? "";
const numbers = () => page.root.querySelector(".legend-numbers")?.textContent;

const EXPLICANDS = ["image-1", "image-2", "image-3"];

async function start(traits: object = {}): Promise<void> {
  page = await mount({ traits: { method: "cam", explicands: EXPLICANDS, corpus: ["image-4"], ...traits } });
  page.kernel.sayProducts(EXPLICANDS, NUMBERS);
  await settled();
}

/** The kernel sends the cells of an image once it has been told that the user points at it. */
async function send(origin?: string, image = "image-1", to: string[] = EXPLICANDS): Promise<void> {
  await vi.waitFor(() => expect(watch()?.cells_of).toBe(image));
  const items = to.map((each) => ({ image: each, replaces: false }));
  page.kernel.sayProducts(items, { ...NUMBERS, ...numbersOf(origin, image) }, { members: cells(origin, image) });
}

/** Moves the pointer to fractions of what the encoder sees of an explicand. */
function hover(image: string, x: number, y: number, init: PointerEventInit = { shiftKey: true }): void {
  const probe = page.tile("explicands", image).querySelector(".probe") as HTMLElement;
  const { left, top, width, height } = probe.getBoundingClientRect();
  point("pointermove", probe, { x: left + x * width, y: top + y * height }, { buttons: 0, ...init });
}

test("holding Shift over an explicand shows where else, in all explicands, until it is released", async () => {
  await start();
  const [before, kept] = [pixel(canvas("image-2"), 0.9, 0.5), numbers()];
  hover("image-1", 0.9, 0.9);
  expect([previews(), mark()]).toEqual([0, null]);
  await settled();
  expect(tag("image-1")).toBe("Waiting for the kernel…");
  await send();
  expect(previews()).toBe(3);
  expect(canvas("image-2").dataset.preview).toBe("place");
  await settled();
  expect(mark()?.dataset.cell).toBe("1,2");
  expect(EXPLICANDS.map(score)).toEqual(["cos .60", "cos .30", "cos .48"]);
  expect(EXPLICANDS.map(tag)).toEqual(["This place", "Where else?", "Where else?"]);
  expect(page.tile("explicands", "image-2").ariaLabel).toContain("where else?, score cos .30");
  expect(page.root.querySelector(".legend")?.textContent).toContain("like the place");
  expect(numbers()).toBe("−1.20+1.2");
  document.dispatchEvent(new KeyboardEvent("keyup", { key: "Shift" }));
  expect([previews(), pixel(canvas("image-2"), 0.9, 0.5)]).toEqual([0, before]);
  await settled();
  expect([mark(), tag("image-2"), score("image-2"), numbers()]).toEqual([null, undefined, "−0.50", kept]);
  await vi.waitFor(() => expect(watch()?.cells_of).toBeNull());
});

test("a move paints at once, within a cell nothing, and the scale only grows", async () => {
  await start();
  hover("image-1", 0.1, 0.1);
  await send();
  const paint = vi.spyOn(CanvasRenderingContext2D.prototype, "putImageData");
  hover("image-1", 0.2, 0.2);
  expect(paint).not.toHaveBeenCalled();
  hover("image-1", 0.9, 0.9);
  expect(paint).toHaveBeenCalledTimes(3);
  const strong = pixel(canvas("image-2"), 0.9, 0.5)[3];
  hover("image-1", 0.1, 0.1);
  await settled();
  expect(numbers()).toBe("−1.20+1.2");
  expect(pixel(canvas("image-2"), 0.9, 0.5)[3]).toBeLessThan(strong / 2);
});

test("another explicand is another question, and leaving the explicands ends it", async () => {
  await start();
  hover("image-1", 0.5, 0.5);
  await send();
  hover("image-2", 0.5, 0.5);
  expect(previews()).toBe(0);
  await send("cam.1", "image-2");
  expect(previews()).toBe(3);
  await settled();
  expect([tag("image-1"), tag("image-2")]).toEqual(["Where else?", "This place"]);
  hover("image-2", 0.5, 0.5, { shiftKey: false });
  expect(previews()).toBe(0);
  hover("image-2", 0.5, 0.5);
  expect(previews()).toBe(3); // nothing was forgotten yet
  page.root.dispatchEvent(new PointerEvent("pointerleave"));
  expect(previews()).toBe(0);
});

test("what is no longer pointed at is forgotten, and cells that were not asked for are not kept", async () => {
  await start();
  hover("image-1", 0.5, 0.5);
  await send();
  await send("cam.1", "image-1"); // as for another view
  hover("image-1", 0.5, 0.5, { shiftKey: false });
  await vi.waitFor(() => expect(watch()?.cells_of).toBeNull());
  page.kernel.sayProducts([{ image: "image-1", replaces: false }], numbersOf(), { members: cells() });
  hover("image-1", 0.5, 0.5);
  expect(previews()).toBe(0);
  await send();
  expect(previews()).toBe(3);
});

test("sharper cells of the same explicand take the place of the first", async () => {
  await start();
  hover("image-1", 0.9, 0.9);
  await send("sharp.1");
  expect(EXPLICANDS.map((image) => canvas(image).dataset.preview)).toEqual(["place", "place", "place"]);
  page.kernel.sayProducts(
    [{ image: "image-2", replaces: false }],
    { "image-2": 0.5, "cell:sharp.33:1x1:0:image-1": 0.9 },
    { members: ["cell:sharp.33:1x1:0:image-1"] },
  );
  await settled();
  expect([score("image-1"), score("image-2")]).toEqual(["cos .60", "cos .45"]);
});

test("the button pins an explicand: the keyboard moves, a screen reader hears, Escape leaves", async () => {
  await start();
  button("image-1").click();
  await send();
  await settled();
  expect([mark()?.dataset.cell, button("image-1").ariaPressed, page.root.dataset.pointing]).toEqual([
    "1,1",
    "true",
    "pinned",
  ]);
  await vi.waitFor(() =>
    expect(announcement()).toBe("Place row 2 of 2, column 2 of 3. Most alike: image-3 .40, image-2 .25."),
  );
  const tile = page.tile("explicands", "image-1");
  tile.focus();
  for (const key of ["ArrowUp", "ArrowUp", "ArrowRight"]) expect(press(tile, key).defaultPrevented).toBe(true);
  await settled();
  expect([mark()?.dataset.cell, score("image-1"), document.activeElement]).toEqual(["0,2", "cos .30", tile]);
  await vi.waitFor(() => expect(announcement()).toContain("Place row 1 of 2, column 3 of 3."));
  hover("image-2", 0.1, 0.1);
  expect(previews()).toBe(3);
  expect(press(tile, "Escape").defaultPrevented).toBe(true);
  expect(previews()).toBe(0);
  press(tile, "w");
  expect(page.root.dataset.pointing).toBe("pinned");
  press(tile, "w");
  expect(page.root.dataset.pointing).toBeUndefined();
});

test("in a pinned explicand a tap or a drag of a finger points, and neither enlarges nor lifts it", async () => {
  await start();
  button("image-1").click();
  await send();
  await settled();
  const probe = page.tile("explicands", "image-1").querySelector(".probe") as HTMLElement;
  const { left, top, width, height } = probe.getBoundingClientRect();
  const at = (x: number, y: number) => ({ x: left + x * width, y: top + y * height });
  const touch = { pointerType: "touch" };
  point("pointerdown", probe, at(0.1, 0.1), touch);
  await settled();
  expect(mark()?.dataset.cell).toBe("0,0");
  point("pointermove", probe, at(0.9, 0.9), touch);
  point("pointerup", probe, at(0.9, 0.9), touch);
  probe.click();
  await settled();
  expect([mark()?.dataset.cell, page.root.querySelector("[role=dialog]")]).toEqual(["1,2", null]);
  expect(getComputedStyle(probe).touchAction).toBe("none");
  press(page.tile("explicands", "image-1"), "Enter");
  await settled();
  expect(page.root.querySelector("[role=dialog]")).not.toBeNull();
  expect(page.root.dataset.pointing).toBeUndefined();
});

test("the gallery's small heatmaps follow", async () => {
  await start({ gallery_heatmaps: true });
  await settled();
  page.kernel.sayProducts(["image-5"], { ...NUMBERS, "image-5": 0.7 });
  hover("image-1", 0.9, 0.9);
  await send();
  expect(canvas("image-5", "gallery").dataset.preview).toBeUndefined();
  page.kernel.sayProducts(
    [{ image: "image-5", replaces: false }],
    { "image-5": 0.7, ...numbersOf() },
    { members: cells() },
  );
  expect(canvas("image-5", "gallery").dataset.preview).toBe("place");
  await settled();
  expect(page.tile("gallery", "image-5").querySelector(".mini-score")?.textContent).toBe("cos .42");
});

test("it goes on without the kernel, and before there is anything in the bins", async () => {
  await start({ corpus: [] });
  expect(page.region("explicands").querySelector(".nothing")).not.toBeNull();
  hover("image-1", 0.1, 0.1);
  await send();
  await settled();
  expect([previews(), page.region("explicands").querySelector(".nothing")]).toEqual([3, null]);
  page.kernel.options.silent = true;
  hover("image-1", 0.9, 0.9);
  await settled();
  expect(score("image-2")).toBe("cos .30");
});

test.each([
  ["layer", { layer: "error" }, "show the layer Attribution"],
  ["gaussian", { similarity: "gaussian" }, "choose cosine or dot product"],
])("the button says why places cannot be pointed at: %s", async (_, traits, reason) => {
  await start(traits);
  expect(button("image-1").title).toContain(reason);
  expect(button("image-1").getAttribute("aria-disabled")).toBe("true");
  button("image-1").click();
  hover("image-1", 0.5, 0.5);
  await settled();
  expect(watch()?.cells_of).toBeNull();
  press(page.tile("explicands", "image-1"), "w");
  await settled();
  expect(page.root.textContent).toContain(reason);
});

test("the button says why where the kernel computes the heatmaps, and before they are prepared", async () => {
  page = await mount({ traits: { explicands: EXPLICANDS, corpus: ["image-4"] } });
  expect(button("image-1").title).toContain("wait until the image is prepared");
  page.kernel.sayHeatmaps([{ image: "image-1", method: "occlusion" }]);
  await settled();
  expect(button("image-1").title).toContain("choose CAM, Sharp CAM, patch tokens or RISE");
});

test("without a feature map, only patch tokens have places", async () => {
  const methods = ["rise", "patch_tokens"].map((name) => ({ name, label: name, hint: "" }));
  const cam = { name: "cam", label: "CAM", hint: "", unavailable: "It does not end in global average pooling" };
  page = await mount({ traits: { explicands: EXPLICANDS }, catalogue: { methods: [...methods, cam] } });
  page.kernel.sayProducts(EXPLICANDS, NUMBERS);
  await settled();
  expect(button("image-1").title).toContain("choose Patch tokens");
  page.kernel.set({ method: "patch_tokens" });
  page.kernel.sayProducts(EXPLICANDS, NUMBERS, { space: 2 });
  await settled();
  expect(button("image-1").getAttribute("aria-disabled")).toBeNull();
});

test("Shift starts it where the pointer is, but not while the user types", async () => {
  await start();
  hover("image-1", 0.5, 0.5, { shiftKey: false });
  const key = { key: "Shift", bubbles: true, composed: true };
  page.root.querySelector("input")?.dispatchEvent(new KeyboardEvent("keydown", key));
  await settled();
  expect(watch()?.cells_of).toBeNull();
  document.dispatchEvent(new KeyboardEvent("keydown", key));
  await send();
  expect(previews()).toBe(3);
});

test("an explicand that is removed is no longer pointed at", async () => {
  await start();
  button("image-1").click();
  await send();
  page.kernel.set({ explicands: ["image-2"] });
  expect(canvas("image-2").dataset.preview).toBeUndefined();
  expect(page.root.dataset.pointing).toBeUndefined();
});
