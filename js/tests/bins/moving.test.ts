import { afterEach, describe, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { centre, closePages, drag, mount, NAMES, type Page, point, press, settled } from "../page";

let page: Page;
afterEach(closePages);

const click = (element: Element, init: MouseEventInit = {}) =>
  element.dispatchEvent(new MouseEvent("click", { bubbles: true, composed: true, cancelable: true, ...init }));

const announced = () => page.root.querySelector("[aria-live]")?.textContent?.trim();

describe("with a mouse", () => {
  test("a real mouse drags an image into the corpus, as one change", async () => {
    page = await mount();
    await userEvent.dragAndDrop(page.tile("gallery", "image-1"), page.region("corpus"));
    expect(page.kernel.traits.corpus).toEqual(["image-1"]);
    expect(page.kernel.saves).toBe(1);
    expect(announced()).toBe("1 image moved from gallery to corpus. Corpus has 1.");
    await vi.waitFor(() => expect(page.images("corpus")).toEqual(["image-1"]));
    expect(page.root.querySelector("[aria-selected=true]")).toBeNull();
  });

  test("a selection is dragged as a whole, with a ghost that counts", async () => {
    page = await mount({ traits: { corpus: ["image-2"] } });
    click(page.tile("gallery", "image-1"));
    click(page.tile("gallery", "image-3"), { shiftKey: true });
    const from = page.tile("gallery", "image-2");
    point("pointerdown", from, centre(from));
    point("pointermove", from, { x: centre(from).x + 20, y: centre(from).y });
    point("pointermove", from, centre(page.region("foil")));
    await settled();
    expect(page.root.querySelectorAll(".ghost-card")).toHaveLength(3);
    expect(page.root.querySelector(".ghost-count")?.textContent).toBe("3");
    expect(page.root.querySelector(".ghost-hint")?.textContent).toBe("Add to foil");
    // The kernel is asked to leave the processor to the dragging.
    expect(page.kernel.requests("hold")).toHaveLength(1);
    expect(page.dropMark("foil")).toBe("over");
    expect(page.dropMark("explicands")).toBe("possible");
    point("pointerup", from, centre(page.region("foil")));
    expect(page.kernel.traits).toMatchObject({ corpus: [], foil: ["image-1", "image-2", "image-3"] });
    expect(page.kernel.saves).toBe(1);
    await settled();
    expect(page.root.querySelector(".ghost")).toBeNull();
  });

  test("an unselected tile is dragged alone; explicands stay in their bin", async () => {
    page = await mount({ traits: { corpus: ["image-4", "image-5"] } });
    click(page.tile("gallery", "image-1"));
    drag(page.tile("corpus", "image-5"), page.region("explicands"));
    expect(page.kernel.traits).toMatchObject({ corpus: ["image-4", "image-5"], explicands: ["image-5"] });
  });

  test("dropping on the gallery removes from the bin it came from", async () => {
    page = await mount({ traits: { corpus: ["image-4"], explicands: ["image-4"] } });
    drag(page.tile("corpus", "image-4"), page.region("gallery"));
    expect(page.kernel.traits).toMatchObject({ corpus: [], explicands: ["image-4"] });
  });

  test("Escape, a lost pointer and a drop outside change nothing", async () => {
    page = await mount();
    const from = page.tile("gallery", "image-1");
    const start = () => {
      point("pointerdown", from, centre(from));
      point("pointermove", from, centre(page.region("corpus")));
      expect(page.root.hasAttribute("data-dragging")).toBe(true);
    };
    start();
    press(document.body, "Escape");
    point("pointerup", from, centre(page.region("corpus")));
    start();
    point("pointercancel", from, centre(page.region("corpus")));
    start();
    window.dispatchEvent(new Event("blur"));
    start();
    point("pointerup", from, { x: 5, y: -50 });
    expect(page.root.hasAttribute("data-dragging")).toBe(false);
    expect(page.kernel.saves).toBe(0);
  });
});

describe("with a finger", () => {
  const touch = { pointerType: "touch" };

  test("a long press lifts the image", async () => {
    page = await mount();
    const from = page.tile("gallery", "image-1");
    point("pointerdown", from, centre(from), touch);
    await vi.waitFor(() => expect(page.root.hasAttribute("data-dragging")).toBe(true));
    point("pointermove", from, centre(page.region("foil")), touch);
    point("pointerup", from, centre(page.region("foil")), touch);
    expect(page.kernel.traits.foil).toEqual(["image-1"]);
  });

  test("a swipe scrolls and moves nothing", async () => {
    page = await mount();
    drag(page.tile("gallery", "image-1"), page.region("foil"), touch);
    expect(page.kernel.saves).toBe(0);
  });
});

describe("with the keyboard", () => {
  test("arrows, Space and letters", async () => {
    page = await mount();
    page.tile("gallery", "image-0").focus();
    press(page.tile("gallery", "image-0"), "ArrowRight");
    await settled();
    expect(document.activeElement).toBe(page.tile("gallery", "image-1"));
    press(page.tile("gallery", "image-1"), " ");
    press(page.tile("gallery", "image-1"), "ArrowRight", { shiftKey: true });
    await settled();
    press(page.tile("gallery", "image-2"), "c");
    expect(page.kernel.traits.corpus).toEqual(["image-1", "image-2"]);
    await settled();
    expect(document.activeElement).toBe(page.tile("gallery", "image-2"));
    press(page.tile("gallery", "image-2"), "e");
    expect(page.kernel.traits.explicands).toEqual(["image-2"]);
  });

  test("Delete removes and leaves the focus at the neighbour", async () => {
    page = await mount({ traits: { corpus: ["image-1", "image-2", "image-3"] } });
    page.tile("corpus", "image-2").focus();
    press(page.tile("corpus", "image-2"), "Delete");
    await settled();
    expect(page.kernel.traits.corpus).toEqual(["image-1", "image-3"]);
    expect(document.activeElement).toBe(page.tile("corpus", "image-3"));
  });

  test("Ctrl+A selects a region; Escape clears the selection", async () => {
    page = await mount();
    press(page.tile("gallery", "image-0"), "a", { ctrlKey: true });
    await settled();
    expect(page.root.querySelector(".selection-count")?.textContent).toBe(`${NAMES.length} selected`);
    press(page.tile("gallery", "image-0"), "Escape");
    await settled();
    expect(page.root.querySelector(".selection-bar")).toBeNull();
  });

  test("undo and redo, of what the page has done and of what code has done", async () => {
    page = await mount();
    const tile = page.tile("gallery", "image-0");
    const button = (action: string) => page.root.querySelector<HTMLElement>(`[data-action=${action}]`);
    page.kernel.set({ foil: ["image-4", "image-5"] });
    press(tile, "c");
    await settled();
    expect(button("undo")?.title).toContain("Add image-0 to corpus");
    expect(button("redo")?.getAttribute("aria-disabled")).toBe("true");
    press(tile, "z", { ctrlKey: true });
    press(tile, "z", { ctrlKey: true });
    await settled();
    expect(page.kernel.traits).toMatchObject({ corpus: [], foil: [] });
    expect(button("undo")?.getAttribute("aria-disabled")).toBe("true");
    expect(button("redo")?.title).toContain("Add 2 images to foil");
    press(tile, "Z", { ctrlKey: true, shiftKey: true });
    press(tile, "y", { ctrlKey: true });
    press(tile, "y", { ctrlKey: true });
    expect(page.kernel.traits).toMatchObject({ corpus: ["image-0"], foil: ["image-4", "image-5"] });
    const steps = page.kernel.requests("operation").map(({ operation }) => operation.kind);
    expect(steps).toEqual(["move", "undo", "undo", "redo", "redo"]);
  });

  test("no key reaches the notebook", async () => {
    page = await mount({ traits: { explicands: ["image-1"] } });
    const heard = vi.fn();
    document.addEventListener("keydown", heard);
    for (const key of ["x", "d", "a", "Enter", "Escape", "ArrowDown"]) press(page.tile("gallery", "image-0"), key);
    document.removeEventListener("keydown", heard);
    expect(heard).not.toHaveBeenCalled();
    const focusable = page.root.querySelectorAll("button, input, [tabindex]");
    expect(focusable.length).toBeGreaterThan(20);
    for (const element of focusable) expect(element.getAttribute("data-lm-suppress-shortcuts")).toBe("true");
  });
});

describe("with buttons", () => {
  const action = (name: string) => page.root.querySelector(`[data-action=${name}]`) as HTMLElement;

  test("the selection bar says what it moves", async () => {
    page = await mount();
    click(page.tile("gallery", "image-1"));
    click(page.tile("gallery", "image-4"), { ctrlKey: true });
    await settled();
    expect(action("to-foil").title).toBe("Move 2 images to foil (F)");
    action("to-foil").click();
    expect(page.kernel.traits.foil).toEqual(["image-1", "image-4"]);
  });

  test("swap and clear", async () => {
    page = await mount({ traits: { corpus: ["image-1"], foil: ["image-2"] } });
    action("swap").click();
    expect(page.kernel.traits).toMatchObject({ corpus: ["image-2"], foil: ["image-1"] });
    await settled();
    action("clear-foil").click();
    expect(page.kernel.traits.foil).toEqual([]);
    expect(page.kernel.saves).toBe(2);
  });

  test("a menu changes its setting, but not to what is unavailable", async () => {
    page = await mount();
    const button = page.root.querySelector<HTMLElement>("[data-setting=method]");
    const choose = async (name: string) => {
      button?.click();
      await settled();
      page.root.querySelector<HTMLElement>(`[role=menuitemradio][data-value=${name}]`)?.click();
      await settled();
    };
    await choose("gradcam");
    expect(page.kernel.traits.method).toBe("rise");
    button?.click();
    await settled();
    await choose("cam");
    expect(page.kernel.traits.method).toBe("cam");
  });
});
