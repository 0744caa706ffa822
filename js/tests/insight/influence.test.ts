import { afterEach, expect, test, vi } from "vitest";
import type { Member } from "../../src/kernel/protocol";
import { closePages, enlarge, mount, NAMES, type Page, press, reply, settled } from "../page";

let page: Page;
afterEach(closePages);

const TRAITS = { explicands: ["image-1", "image-2"], corpus: ["image-3", "image-4"], foil: ["image-5"] };
const member = (image: string, share: number, more: Partial<Member> = {}): Member => ({
  image,
  bin: share < 0 ? "foil" : "corpus",
  share,
  change: 0.1,
  outlier: false,
  ...more,
});
const MEMBERS = [member("image-3", 0.4), member("image-5", -0.2), member("image-4", 0.1)];

const section = () => page.root.querySelector("[data-insight=influence]") as HTMLElement;
const rows = () => [...section().querySelectorAll<HTMLElement>("[data-member]")];
const row = (image: string) => section().querySelector(`[data-member="${image}"]`) as HTMLElement;
const main = (image: string) => row(image).querySelector(".member-main") as HTMLElement;
const asked = () => page.kernel.requests("influence");
const answer = async (members = MEMBERS, score = 0.3) => {
  reply(page.kernel, "influence", { score, members });
  await settled();
};
const start = async (options: Parameters<typeof mount>[0] = {}) => {
  page = await mount({ traits: TRAITS, ...options });
  page.kernel.sayHeatmaps([{ image: "image-1" }, { image: "image-2" }], 4);
  const dialog = await enlarge(page, page.images("explicands")[0] as string);
  return dialog;
};

test("opening asks for the contribution of each bin member and shows it", async () => {
  await start();
  expect(asked()).toMatchObject([{ image: "image-1" }]);
  expect(section().dataset.phase).toBe("loading");
  await answer([
    member("image-3", 0.4, { outlier: true }),
    member("image-5", -0.2, { change: null }),
    ...MEMBERS.slice(2),
  ]);
  expect(section().dataset.phase).toBe("ready");
  expect(rows().map(({ dataset }) => dataset.member)).toEqual(["image-3", "image-5", "image-4"]);
  expect(section().textContent).toMatch(/Score \+0\.300 · corpus \+0\.500 · foil −0\.200/);
  await vi.waitFor(() => expect(row("image-3").querySelector("img")).not.toBeNull());

  const bar = (image: string) => row(image).querySelector(".share-bar i")?.getBoundingClientRect() as DOMRect;
  const middle = (image: string) => {
    const { left, width } = (row(image).querySelector(".share-bar") as HTMLElement).getBoundingClientRect();
    return left + width / 2;
  };
  expect(bar("image-3").left).toBeCloseTo(middle("image-3"), 0);
  expect(bar("image-5").right).toBeCloseTo(middle("image-5"), 0);
  expect(bar("image-5").width).toBeCloseTo(bar("image-3").width / 2, 0);
  const colour = (image: string) =>
    getComputedStyle(row(image).querySelector(".share-bar i") as Element).backgroundColor;
  expect(colour("image-3")).not.toBe(colour("image-5"));

  expect(row("image-3").querySelector(".member-change")?.textContent).toBe("10 %");
  expect(row("image-5").querySelector(".member-change")?.textContent).toBe("–");
  expect(row("image-3").textContent).toContain("unlike the others");
  expect(row("image-5").textContent).not.toContain("unlike");
  expect(main("image-3").ariaLabel).toBe(
    "image-3 in corpus, share +0.400, without it the heatmap changes by 10 %, unlike the others in corpus",
  );
});

test("a newer heatmap of this image asks again after a pause; other heatmaps do not", async () => {
  await start();
  await answer();
  page.kernel.sayHeatmaps([{ image: "image-1", progress: 0.5 }], 4);
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(asked()).toHaveLength(1);
  for (const version of [5, 6, 7]) page.kernel.sayHeatmaps([{ image: "image-1" }], version);
  await settled();
  expect(section().dataset.phase).toBe("stale");
  expect(asked()).toHaveLength(1);
  await vi.waitFor(() => expect(asked()).toHaveLength(2));
  await answer([MEMBERS[0] as Member]);
  expect(section().dataset.phase).toBe("ready");
  expect(rows()).toHaveLength(1);
  // A version without a heatmap of this image asks nothing, but marks the contributions as old.
  page.kernel.sayHeatmaps([{ image: "image-2" }], 8);
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(section().dataset.phase).toBe("stale");
  expect(asked()).toHaveLength(2);
});

test("outdated replies are cancelled and ignored", async () => {
  const dialog = await start();
  const [first] = asked();
  page.kernel.sayHeatmaps([{ image: "image-1" }], 5);
  await vi.waitFor(() => expect(asked()).toHaveLength(2));
  expect(page.kernel.requests("cancel")).toMatchObject([{ cancels: first?.id }]);
  page.kernel.say({ kind: "influence", id: first?.id, image: "image-1", score: 9, members: [member("image-4", 9)] });
  await settled();
  expect(section().dataset.phase).toBe("loading");
  await answer();
  expect(rows()).toHaveLength(3);

  press(dialog, "ArrowRight");
  await settled();
  expect(rows()).toHaveLength(0);
  expect(asked().at(-1)?.image).toBe("image-2");
  press(dialog, "ArrowLeft");
  await settled();
  // Known already, and about the same heatmaps.
  expect(rows()).toHaveLength(3);
  expect(asked()).toHaveLength(3);
  press(dialog, "Escape");
  await settled();
  expect(page.kernel.requests("cancel")).toHaveLength(2);
});

test("names are text", async () => {
  const evil = `<img src=x onerror='window.hacked=1'>"`;
  await start({ images: [evil, ...NAMES], labels: [`${evil}!`, ...NAMES], traits: { ...TRAITS, corpus: [evil] } });
  await answer([member(evil, 0.4, { outlier: true })]);
  expect(section().querySelector(".member-name")?.textContent).toBe(`${evil}!`);
  (section().querySelector(".member-main") as HTMLElement).click();
  await settled();
  expect(section().querySelector(".member-more")?.textContent).toContain(evil);
  expect(page.root.querySelector("img[onerror]")).toBeNull();
  expect("hacked" in window).toBe(false);
});

test("long bins show the first twelve until asked for all", async () => {
  const images = Array.from({ length: 300 }, (_, i) => `photo-${i}`);
  await start({ images, traits: { explicands: ["photo-0"], corpus: images.slice(1) } });
  await answer(images.slice(1).map((image, i) => member(image, 1 / (i + 1))));
  const more = () => section().querySelector("[data-action=show-all]") as HTMLElement;
  expect(rows()).toHaveLength(12);
  expect(more().textContent).toBe("Show 200 more of 299");
  more().click();
  await settled();
  expect(rows()).toHaveLength(212);
  expect(document.activeElement).toBe(main("photo-13"));
  expect(more().textContent).toBe("Show all 299");
  more().click();
  await settled();
  expect(rows()).toHaveLength(299);
  expect(more()).toBeNull();
});

test("the keyboard goes through the rows, opens one and removes it; that can be undone", async () => {
  const dialog = await start();
  await answer();
  main("image-3").focus();
  press(document.activeElement as Element, "ArrowDown");
  await settled();
  expect(document.activeElement).toBe(main("image-5"));
  // One Tab stop, which is the row that had the focus last.
  expect(rows().map((each) => (each.querySelector(".member-main") as HTMLElement).tabIndex)).toEqual([-1, 0, -1]);
  expect(dialog.ariaLabel).toContain("image-1");
  press(document.activeElement as Element, "Home");
  await settled();
  main("image-3").click(); // as Enter does on a button
  await settled();
  expect(main("image-3").ariaExpanded).toBe("true");
  const remove = row("image-3").querySelector("[data-action=remove-member]") as HTMLElement;
  expect(remove.textContent).toContain("Remove from corpus");
  remove.focus();
  remove.click();
  await settled();
  expect(page.kernel.traits.corpus).toEqual(["image-4"]);
  expect(page.kernel.saves).toBe(1);
  expect(rows().map(({ dataset }) => dataset.member)).toEqual(["image-5", "image-4"]);
  expect(document.activeElement).toBe(main("image-5"));
  press(document.activeElement as Element, "Delete");
  await settled();
  expect(page.kernel.traits.foil).toEqual([]);
  expect(document.activeElement).toBe(main("image-4"));
  press(document.activeElement as Element, "Delete");
  await settled();
  // The last row has gone, and there is nothing to explain: the keys still reach the dialog.
  expect(section()).toBeNull();
  expect(document.activeElement).toBe(dialog);
  press(dialog, "z", { ctrlKey: true });
  expect(page.kernel.requests("operation").at(-1)?.operation.kind).toBe("undo");
});

test("a tile behind the dialog does not take the focus", async () => {
  page = await mount({ traits: TRAITS });
  page.kernel.sayHeatmaps([{ image: "image-1" }], 4);
  page.tile("corpus", "image-3").focus();
  const dialog = await enlarge(page, "image-1");
  await answer([MEMBERS[0] as Member]);
  main("image-3").focus();
  press(main("image-3"), "Delete");
  await settled();
  await settled();
  expect(page.images("corpus")).toEqual(["image-4"]);
  expect(document.activeElement).toBe(dialog);
});

test("the focus stays in the list when an answer takes its row away", async () => {
  await start();
  await answer();
  main("image-5").focus();
  page.kernel.sayHeatmaps([{ image: "image-1" }], 5);
  await vi.waitFor(() => expect(asked()).toHaveLength(2));
  await answer([MEMBERS[2] as Member, MEMBERS[0] as Member]);
  expect(document.activeElement).toBe(main("image-4"));
});

test("an error is shown, and the question can be asked again", async () => {
  await start();
  page.kernel.say({ kind: "error", id: asked()[0]?.id, message: "<b>out of memory</b>" });
  await settled();
  expect(section().dataset.phase).toBe("error");
  expect(section().textContent).toContain("<b>out of memory</b>");
  expect(page.root.querySelector(".toast")).toBeNull();
  (section().querySelector("[data-action=retry]") as HTMLElement).click();
  expect(asked()).toHaveLength(2);
  await answer();
  expect(section().dataset.phase).toBe("ready");
});

test("an image that is not explained asks nothing and can be explained", async () => {
  page = await mount({ traits: TRAITS });
  page.tile("gallery", "image-7").focus();
  press(page.tile("gallery", "image-7"), "Enter");
  await settled();
  expect(section()).toBeNull();
  expect(asked()).toHaveLength(0);
  const explain = page.root.querySelector("[data-action=explain]") as HTMLElement;
  explain.focus();
  explain.click();
  await settled();
  expect(page.kernel.traits.explicands).toContain("image-7");
  expect(asked()).toMatchObject([{ image: "image-7" }]);
  const dialog = page.root.querySelector("[role=dialog]") as HTMLElement;
  expect(dialog.contains(document.activeElement)).toBe(true);
});

test("with empty bins nothing is asked", async () => {
  page = await mount({ traits: { ...TRAITS, corpus: [], foil: [] } });
  page.kernel.say({ kind: "heatmaps", version: 4, items: [], failed: [], nothing: "Fill the bins." });
  await enlarge(page, "image-1");
  expect(page.root.querySelector("[data-insight=panel]")?.textContent).toBe(
    "Nothing to explain yet: put images into the corpus, the foil, or both.",
  );
  expect(asked()).toHaveLength(0);
});

test("the panel can be closed, and stays closed; the photograph takes its place", async () => {
  const dialog = await start();
  const toggle = dialog.querySelector("[data-action=toggle-insight]") as HTMLElement;
  const width = () => (dialog.querySelector(".enlarged-photo") as HTMLElement).offsetWidth;
  expect(toggle.ariaExpanded).toBe("true");
  const before = width();
  toggle.click();
  await settled();
  expect(toggle.ariaExpanded).toBe("false");
  expect(page.root.querySelector("[data-insight=panel]")).toBeNull();
  expect(width()).toBeGreaterThan(before + 250);
  press(dialog, "Escape");
  await settled();
  await enlarge(page, "image-2");
  expect(page.root.querySelector("[data-insight=panel]")).toBeNull();
  expect(asked()).toHaveLength(1);
});

test("the panel is beside the photograph on a wide page and below it on a narrow one", async () => {
  const places = (dialog: HTMLElement) =>
    [".enlarged-photo .photo", "[data-insight=panel]"].map((part) =>
      dialog.querySelector(part)?.getBoundingClientRect(),
    ) as [DOMRect, DOMRect];
  const dialog = await start();
  await vi.waitFor(() => expect(places(dialog)[0]).toBeDefined());
  const [photo, panel] = places(dialog);
  expect(panel.left).toBeGreaterThanOrEqual(photo.right);
  expect(photo.width).toBeGreaterThan(panel.width * 1.5);
  page.cleanup();
  const narrow = await start({ width: 480 });
  const [above, below] = places(narrow);
  expect(below.top).toBeGreaterThanOrEqual(above.bottom);
  expect(above.width).toBeGreaterThan(400);
});
