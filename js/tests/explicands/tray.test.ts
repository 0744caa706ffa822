import { afterEach, describe, expect, test } from "vitest";
import type { FakeOptions } from "../../dev/fake-kernel";
import { centre, closePages, greyThumbnail, mount, NAMES, type Page, point, press, settled } from "../page";

/** The panel of the explicands as it is seen: its tiles, captions, scores and notes. */

let page: Page;
afterEach(() => {
  closePages();
  localStorage.clear();
});

const BINS = { corpus: ["image-10"], foil: ["image-11"] };
const tiles = () => [...page.region("explicands").querySelectorAll<HTMLElement>("[data-image-id]")];
const boxes = () => tiles().map((tile) => tile.getBoundingClientRect());
const photos = () =>
  [...page.region("explicands").querySelectorAll(".photo")].map((each) => each.getBoundingClientRect());
const area = ({ width, height }: DOMRect) => width * height;
const part = (image: string, selector: string) => page.tile("explicands", image).querySelector<HTMLElement>(selector);

describe("photographs fill the panel", () => {
  // The photographs are twice as wide as high.
  test.each([
    [1, 0.6],
    [2, 0.4],
    [6, 0.55],
  ])("%d cover more than %d of it", async (count, least) => {
    page = await mount({ traits: { ...BINS, explicands: NAMES.slice(0, count) } });
    await settled();
    const all = page.region("explicands").querySelector(".tiles")?.getBoundingClientRect() as DOMRect;
    expect(photos()).toHaveLength(count);
    expect(photos().reduce((sum, photo) => sum + area(photo), 0) / area(all)).toBeGreaterThan(least);
    for (const photo of photos()) expect(photo.width / photo.height).toBeCloseTo(2, 1);
    for (const box of boxes()) expect(box.bottom).toBeLessThanOrEqual(all.bottom);
  });

  test("nothing moves while an image is dragged over the page", async () => {
    page = await mount({ traits: { ...BINS, explicands: NAMES.slice(0, 5) }, live: true });
    await settled();
    const before = boxes();
    const from = page.tile("gallery", "image-7");
    point("pointerdown", from, centre(from));
    for (const region of ["explicands", "corpus", "foil", "gallery"]) {
      point("pointermove", from, centre(page.region(region)));
      await settled();
      expect(boxes()).toEqual(before);
    }
    point("pointerup", from, centre(page.region("gallery")));
  });

  test("bins are as high as what they hold", async () => {
    page = await mount({ traits: { ...BINS, explicands: ["image-1"] } });
    const [low, high] = [page.region("foil").offsetHeight, page.region("explicands").offsetHeight];
    expect(low).toBeLessThan(140);
    page.kernel.set({ foil: ["image-11", ...Array.from({ length: 30 }, (_, i) => `text:name ${i}`)] });
    await settled();
    expect(page.region("foil").offsetHeight).toBeGreaterThan(low + 40);
    // However much they hold, the explicands keep more room.
    expect(page.region("explicands").offsetHeight).toBeGreaterThan(page.region("foil").offsetHeight);
    page.kernel.set({ foil: [] });
    await settled();
    expect([page.region("foil").offsetHeight, page.region("explicands").offsetHeight]).toEqual([low, high]);
  });
});

test("where tiles are small, names are over the photographs, under the pointer and with the focus", async () => {
  const square: FakeOptions["thumbnail"] = async (image, size) => ({
    ...(await greyThumbnail(image, size)),
    height: 200,
    frame: [0, 0, 1, 1],
  });
  page = await mount({ width: 700, thumbnail: square, traits: { ...BINS, explicands: NAMES.slice(0, 9) } });
  await settled();
  const narrow = tiles().find((tile) => tile.offsetWidth < 180) as HTMLElement;
  const name = narrow.querySelector<HTMLElement>(".explicand-photo .caption-name") as HTMLElement;
  const isShown = () => getComputedStyle(name.parentElement as Element).opacity === "1";
  expect([name.textContent, isShown()]).toEqual([narrow.dataset.imageId, false]);
  tiles()[0]?.focus();
  for (let i = 0; tiles()[i] !== narrow; i++) {
    press(document.activeElement as Element, "ArrowRight");
    await settled();
  }
  expect(document.activeElement).toBe(narrow);
  expect(isShown()).toBe(true);
});

describe("scores", () => {
  const say = async (scores: Record<string, number>, intervals: Record<string, [number, number]>) => {
    page.kernel.sayHeatmaps(
      Object.entries(scores).map(([image, score]) => ({ image, score })),
      1,
    );
    page.kernel.say({
      kind: "stability",
      version: 1,
      items: Object.entries(intervals).map(([image, [low, high]]) => ({ image, low, high, correlation: 0.9 })),
      smallest: 30,
      few: false,
    });
    await settled();
  };
  /** The ends of an element, from −1 to 1 on the bar that it lies in. */
  const ends = (image: string, selector: string) => {
    const bar = part(image, ".score-bar")?.getBoundingClientRect() as DOMRect;
    const inside = part(image, selector)?.getBoundingClientRect() as DOMRect;
    return [inside.left, inside.right].map((x) => (2 * (x - bar.left)) / bar.width - 1);
  };

  test("bars are on one scale from zero, in the colours of the bins, with the interval over them", async () => {
    page = await mount({ traits: { ...BINS, explicands: ["image-1", "image-2"] } });
    await say({ "image-1": 0.5, "image-2": -0.2 }, { "image-1": [0.3, 0.8], "image-2": [-0.3, 0.1] });
    // The scale ends at 0.8.
    const near = (values: number[], wanted: number[]) => {
      for (const [i, value] of values.entries()) expect(value).toBeCloseTo(wanted[i] as number, 1);
    };
    near(ends("image-1", ".score-fill"), [0, 0.5 / 0.8]);
    near(ends("image-2", ".score-fill"), [-0.2 / 0.8, 0]);
    near(ends("image-1", ".score-whisker"), [0.3 / 0.8, 1]);
    near(ends("image-2", ".score-whisker"), [-0.3 / 0.8, 0.1 / 0.8]);
    const colour = (image: string) => getComputedStyle(part(image, ".score-fill") as Element).backgroundColor;
    const rgb = (name: string) => page.root.style.getPropertyValue(`--${name}-rgb`).replaceAll(" ", ", ");
    expect([colour("image-1"), colour("image-2")]).toEqual([`rgb(${rgb("corpus")})`, `rgb(${rgb("foil")})`]);
    const widths = ["image-1", "image-2"].map((image) => part(image, ".score-bar")?.offsetWidth);
    expect(widths[0]).toBe(widths[1]);
    const texts = ["image-1", "image-2"].map((image) => part(image, ".answer")?.textContent);
    expect(texts).toEqual(["+0.50±0.25", "−0.20±0.20"]);
  });

  test("a score is no smaller than its caption, and its place is the same while the heatmap sharpens", async () => {
    page = await mount({ traits: { ...BINS, explicands: ["image-1", "image-2"] } });
    await say({ "image-1": 0.5, "image-2": -0.2 }, { "image-1": [0.3, 0.8] });
    const size = (selector: string) =>
      Number.parseFloat(getComputedStyle(part("image-1", selector) as Element).fontSize);
    expect(size(".score")).toBeGreaterThanOrEqual(size(".caption-name"));
    const places = () =>
      [".score", ".stability", ".score-bar"].map((each) => part("image-1", each)?.getBoundingClientRect().toJSON());
    const before = places();
    page.kernel.sayHeatmaps([{ image: "image-1", score: 0.5, progress: 0.3 }], 1);
    await settled();
    expect(part("image-1", ".ring")).not.toBeNull();
    expect(places()).toEqual(before);
  });
});

test("the reason why there is nothing to explain covers no photograph", async () => {
  for (const width of [1200, 600]) {
    page = await mount({ width, traits: { explicands: ["image-1", "image-2"] } });
    page.kernel.say({
      kind: "heatmaps",
      version: 1,
      items: [],
      failed: [],
      nothing: "Nothing to explain yet: put images into the corpus, the foil, or both.",
    });
    await settled();
    const note = page.region("explicands").querySelector("[role=note]") as HTMLElement;
    expect(note.textContent).toContain("Nothing to explain yet");
    const { bottom, right } = note.getBoundingClientRect();
    for (const photo of photos()) expect(photo.top).toBeGreaterThanOrEqual(bottom);
    expect(right).toBeLessThanOrEqual(page.region("explicands").getBoundingClientRect().right);
    closePages();
  }
});

describe("the hint at the first drag", () => {
  const hint = () => page.root.querySelector<HTMLElement>(".hint");

  test("goes away for good with the first image that is moved", async () => {
    page = await mount({ traits: { explicands: ["image-1"] } });
    expect(hint()?.textContent).toContain("Drag a photograph into the corpus or the foil");
    press(page.tile("gallery", "image-0"), "c");
    await settled();
    expect(page.images("corpus")).toEqual(["image-0"]);
    expect(hint()).toBeNull();
    closePages();
    page = await mount({ traits: { explicands: ["image-1"] } });
    expect(hint()).toBeNull();
  });

  test("goes away when it is dismissed", async () => {
    page = await mount({ traits: { explicands: ["image-1"] } });
    hint()?.querySelector("button")?.click();
    await settled();
    expect(hint()).toBeNull();
    closePages();
    page = await mount({ traits: { explicands: ["image-1"] } });
    expect(hint()).toBeNull();
  });
});

test.each([1200, 600])(
  "at %d pixels everything is inside, and what is clicked is at least 24 pixels large",
  async (width) => {
    page = await mount({ width, traits: { ...BINS, explicands: NAMES.slice(0, 6) }, live: true });
    page.root.querySelector<HTMLElement>("[data-action=settings]")?.click();
    await settled();
    expect(page.root.scrollWidth).toBeLessThanOrEqual(page.root.clientWidth);
    const all = [...page.root.querySelectorAll<HTMLElement>("button, input, [role=option]")];
    const small = all.filter(
      (each) => each.getClientRects().length > 0 && Math.min(each.offsetWidth, each.offsetHeight) < 24,
    );
    expect(small.map((each) => each.outerHTML)).toEqual([]);
    sessionStorage.clear();
  },
);
