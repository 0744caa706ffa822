import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { centre, closePages, enlarge, mount, type Page, pixel, point, press, settled } from "../page";

/** While the user aims at a bin, heatmaps and scores show what a drop would do. */

let page: Page;
afterEach(() => {
  vi.restoreAllMocks();
  closePages();
});

const NUMBERS = { "image-1": 1, "image-3": 0.5, "image-4": -1 };
const canvas = () => page.tile("explicands", "image-1").querySelector("canvas") as HTMLCanvasElement;
const sign = () => {
  const [red, , blue] = pixel(canvas(), 0.9, 0.5);
  return Math.sign(red - blue);
};
const score = () => page.tile("explicands", "image-1").querySelector(".score")?.textContent;
const tag = () => page.tile("explicands", "image-1").querySelector(".tag")?.textContent;
const repaints = () => Number(page.root.dataset.version);

async function start(traits: object = {}): Promise<void> {
  page = await mount({ traits: { explicands: ["image-1"], corpus: ["image-3"], ...traits } });
  page.kernel.sayProducts(["image-1"], NUMBERS);
}

const control = (action: string) => page.root.querySelector(`[data-action=${action}]`) as HTMLElement;
const hover = (element: HTMLElement, type: "enter" | "leave", pointerType = "mouse") =>
  element.dispatchEvent(new PointerEvent(`pointer${type}`, { pointerType }));

/** What the score would be while the pointer is over a control, and what it is after it has left. */
async function hovered(element: HTMLElement): Promise<(string | null | undefined)[]> {
  hover(element, "enter");
  const preview = canvas().dataset.preview;
  await settled();
  const supposed = score();
  hover(element, "leave");
  expect(canvas().dataset.preview).toBeUndefined();
  await settled();
  return [preview, supposed, score()];
}

function lift(image: string): { over: (region: string, shift?: number) => void; drop: (region: string) => void } {
  const from = page.tile("gallery", image);
  point("pointerdown", from, centre(from));
  point("pointermove", from, { x: centre(from).x + 20, y: centre(from).y });
  const at = (region: string, shift = 0) => ({
    x: centre(page.region(region)).x + shift,
    y: centre(page.region(region)).y,
  });
  return {
    over: (region, shift) => point("pointermove", from, at(region, shift)),
    drop: (region) => point("pointerup", from, at(region)),
  };
}

test("hovering over a bin shows what a drop would do, and leaving it what is", async () => {
  await start();
  const dragged = lift("image-4");
  expect(canvas().dataset.preview).toBeUndefined();
  dragged.over("corpus");
  expect([canvas().dataset.preview, sign()]).toEqual(["true", -1]);
  const paint = vi.spyOn(CanvasRenderingContext2D.prototype, "putImageData");
  for (const shift of [3, 6, 9]) dragged.over("corpus", shift);
  expect(paint).not.toHaveBeenCalled(); // one computation for each bin that is aimed at
  await settled();
  expect([score(), tag()]).toEqual(["−0.25", "If dropped"]);
  expect(page.tile("explicands", "image-1").ariaLabel).toContain("if dropped, score −0.250");
  dragged.over("foil");
  await settled();
  expect(score()).toBe("+1.50");
  dragged.over("gallery");
  expect([canvas().dataset.preview, sign()]).toEqual([undefined, 1]);
  await settled();
  expect([score(), tag()]).toEqual(["+0.50", undefined]);
  expect(page.kernel.saves).toBe(0);
});

test("a drop keeps what was shown; Escape takes it back", async () => {
  await start();
  lift("image-4").over("corpus");
  press(document.body, "Escape");
  expect([canvas().dataset.preview, sign()]).toEqual([undefined, 1]);
  const dragged = lift("image-4");
  dragged.over("corpus");
  const [before, painted] = [repaints(), pixel(canvas(), 0.9, 0.5)];
  const paint = vi.spyOn(CanvasRenderingContext2D.prototype, "putImageData");
  dragged.drop("corpus");
  expect([repaints(), paint.mock.calls.length]).toEqual([before + 1, 1]); // not the earlier bins in between
  expect(canvas().dataset.preview).toBeUndefined();
  expect(Math.sign(painted[0] - painted[2])).toBe(sign());
  await settled();
  expect(score()).toBe("−0.25");
});

test("the first image over an empty bin shows its heatmap, which goes when it leaves", async () => {
  await start();
  page.kernel.set({ corpus: [] });
  await settled();
  const dragged = lift("image-4");
  dragged.over("corpus");
  expect([canvas().dataset.preview, sign()]).toEqual(["true", -1]);
  await settled();
  expect(score()).toBe("−1.00");
  dragged.over("gallery");
  expect([canvas().dataset.heatmap, pixel(canvas(), 0.9, 0.5)[3]]).toEqual([undefined, 0]);
  await settled();
  expect(score()).toBeUndefined();
});

test("the scale stays still while the user drags", async () => {
  await start();
  await settled();
  const numbers = () => page.root.querySelector(".legend-numbers")?.textContent;
  expect(numbers()).toBe("−1.00+1.0");
  const dragged = lift("image-4");
  dragged.over("foil"); // a peak of 3
  await settled();
  expect(numbers()).toBe("−1.00+1.0");
  dragged.drop("foil");
  await settled();
  expect(numbers()).toBe("−3.00+3.0");
});

test("a heatmap of the kernel comes back after the trial, where the page lacks products for the present bins", async () => {
  await start();
  page.kernel.set({ corpus: ["image-3", "image-9"] });
  await settled();
  page.kernel.sayHeatmaps([{ image: "image-1", score: 0.33, pattern: () => -1 }]);
  const from = page.tile("corpus", "image-9");
  point("pointerdown", from, centre(from));
  point("pointermove", from, centre(page.region("gallery")));
  expect([canvas().dataset.preview, sign()]).toEqual(["true", 1]);
  point("pointermove", from, centre(page.region("explicands")));
  expect([canvas().dataset.preview, sign()]).toEqual([undefined, -1]);
  await settled();
  expect(score()).toBe("+0.33");
});

test("a button of the selection that has the keyboard's focus shows what it would do, and says it", async () => {
  await start();
  page.tile("gallery", "image-4").click();
  await settled();
  const button = page.root.querySelector<HTMLElement>("[data-action=to-corpus]") as HTMLElement;
  page.tile("gallery", "image-4").focus();
  await userEvent.keyboard("{Shift>}{/Shift}"); // the keyboard is in use
  button.focus();
  expect([canvas().dataset.preview, sign()]).toEqual(["true", -1]);
  await settled();
  expect(page.root.querySelector(".announcer")?.textContent).toBe("If done, the scores are: image-1 −0.250.");
  page.root.querySelector<HTMLElement>("[data-action=to-explicands]")?.focus();
  expect(canvas().dataset.preview).toBeUndefined();
  button.focus();
  button.click();
  await settled();
  expect(canvas().dataset.preview).toBeUndefined();
  expect(score()).toBe("−0.25");
  expect(page.root.querySelector(".announcer")?.textContent).toContain("1 image moved");
});

test("the pointer over a control that changes the bins shows what it would do", async () => {
  await start({ foil: ["image-4"] });
  expect(await hovered(control("swap"))).toEqual(["true", "−1.50", "+1.50"]);
  expect(await hovered(control("clear-foil"))).toEqual(["true", "+0.50", "+1.50"]);
  expect(await hovered(control("undo"))).toEqual([undefined, "+1.50", "+1.50"]); // there is nothing to undo
  page.kernel.set({ corpus: [] });
  await settled();
  expect(await hovered(control("undo"))).toEqual(["true", "+1.50", "+1.00"]);
  control("undo").click();
  await settled();
  expect(await hovered(control("redo"))).toEqual(["true", "+1.00", "+1.50"]);
  hover(control("swap"), "enter", "touch");
  expect(canvas().dataset.preview).toBeUndefined();
  page.tile("gallery", "image-3").click();
  await settled();
  expect(await hovered(control("to-foil"))).toEqual(["true", "+0.25", "+1.50"]); // −(0.5 − 1) / 2
  expect(await hovered(control("remove"))).toEqual(["true", "+1.00", "+1.50"]);
});

test("a click does what was shown, and shows nothing more before the pointer comes back", async () => {
  await start({ foil: ["image-4"] });
  hover(control("swap"), "enter");
  await settled();
  expect([score(), tag()]).toEqual(["−1.50", "If done"]);
  const before = repaints();
  control("swap").click();
  expect([repaints(), canvas().dataset.preview]).toEqual([before + 1, undefined]);
  await settled();
  expect(score()).toBe("−1.50");
  expect(page.kernel.traits.foil).toEqual(["image-3"]);
});

test("the pointer wins over the keyboard's focus, which is shown again when it leaves", async () => {
  await start({ foil: ["image-4"] });
  await userEvent.keyboard("{Shift>}{/Shift}");
  control("swap").focus();
  await settled();
  expect(score()).toBe("−1.50");
  hover(control("clear-foil"), "enter");
  await settled();
  expect(score()).toBe("+0.50");
  hover(control("clear-foil"), "leave");
  await settled();
  expect(score()).toBe("−1.50");
  control("swap").blur();
  await settled();
  expect(score()).toBe("+1.50");
});

test("the button that removes a member shows the heatmap without it, also when it disappears meanwhile", async () => {
  await start({ foil: ["image-4"] });
  page.kernel.say({ kind: "heatmaps", version: 1, items: [], failed: [] });
  const dialog = await enlarge(page, "image-1");
  const row = () => dialog.querySelector("[data-member=image-4]") as HTMLElement;
  row().querySelector<HTMLElement>(".member-main")?.click();
  await settled();
  expect(await hovered(control("remove-member"))).toEqual(["true", "+0.50", "+1.50"]);
  hover(control("remove-member"), "enter");
  expect(canvas().dataset.preview).toBe("true");
  row().querySelector<HTMLElement>(".member-main")?.click(); // folds the row, and with it the button
  await settled();
  expect([canvas().dataset.preview, score()]).toEqual([undefined, "+1.50"]);
});

test("a text that is typed again is shown before it is added; the kernel is not asked for others", async () => {
  const catalogue = { text: { available: true, reason: null, note: "", context: 77, templates: [], lists: [] } };
  page = await mount({ traits: { explicands: ["image-1"], corpus: ["image-3"] }, catalogue });
  page.kernel.sayProducts(["image-1"], { ...NUMBERS, "text:a dog": -2 });
  const field = page.root.querySelector("[data-add-text=foil]") as HTMLInputElement;
  const type = async (text: string) => {
    field.value = text;
    field.dispatchEvent(new InputEvent("input", { bubbles: true }));
    await settled();
    return [canvas().dataset.preview, score()];
  };
  const sent = page.kernel.sent.length;
  expect(await type("a do")).toEqual([undefined, "+0.50"]);
  expect(await type("a  dog ")).toEqual(["true", "+2.50"]);
  field.dispatchEvent(new FocusEvent("blur"));
  await settled();
  expect([canvas().dataset.preview, score()]).toEqual([undefined, "+0.50"]);
  expect(page.kernel.sent).toHaveLength(sent);
});
