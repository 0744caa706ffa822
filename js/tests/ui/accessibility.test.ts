import axe from "axe-core";
import { afterEach, expect, test, vi } from "vitest";
import { userEvent } from "vitest/browser";
import { saveBins } from "../../src/bins/saved-bins";
import { closePages, mount, NAMES, type Page, press, settled } from "../page";

/** The findings of axe in every state of the page, and the elements that the Tab key reaches. */

afterEach(() => {
  closePages();
  document.body.classList.remove("dark");
  sessionStorage.clear();
});

const BINS = { corpus: ["text:a cat", "image-1"], foil: ["image-2", "image-4"], explicands: ["image-3", "image-5"] };
const click = async (page: Page, selector: string) => {
  page.root.querySelector<HTMLElement>(selector)?.click();
  await settled();
};

type State = (page: Page) => Promise<void> | void;
const STATES: Record<string, State> = {
  "as it opens": () => undefined,
  "with a selection": (page) => click(page, "[data-bin=gallery] [data-image-id=image-4]"),
  "with the enlarged view": async (page) => {
    press(page.tile("explicands", "image-3"), "Enter");
    await settled();
  },
  "with its insight": async (page) => {
    press(page.tile("explicands", "image-3"), "Enter");
    await settled();
    if (!page.root.querySelector(".insight")) await click(page, "[data-action=toggle-insight]");
  },
  "with a menu": (page) => click(page, "[data-setting=target]"),
  "with the menu of texts": (page) => click(page, "[data-bin=foil] .text-entry [aria-haspopup]"),
  "with help": (page) => click(page, "[data-action=help]"),
  "with an error": (page) => page.kernel.say({ kind: "error", message: "out of memory" }),
  "with a ranking": async (page) => {
    await click(page, "[data-action=rank]");
    const field = page.root.querySelector("input[type=search]") as HTMLInputElement;
    field.value = "cat";
    field.dispatchEvent(new Event("input", { bubbles: true }));
    press(field, "Enter");
    await vi.waitFor(() => expect(page.root.querySelector(".ranked")).not.toBeNull());
  },
  "with an offer to restore": () => undefined,
  "without a kernel": (page) => page.kernel.cutOff(),
};

const MISMATCH = "label-content-name-mismatch";
/** Rules that are about a whole document, of which the page is a part. */
const OF_DOCUMENTS = [
  "region",
  "page-has-heading-one",
  "landmark-one-main",
  "bypass",
  "document-title",
  "html-has-lang",
];

async function findings(page: Page): Promise<string[]> {
  const rules = Object.fromEntries(OF_DOCUMENTS.map((rule) => [rule, { enabled: false }]));
  const { violations } = await axe.run(page.root, { rules, resultTypes: ["violations"] });
  // The name of a tile, or of a row of numbers, says all that its parts show, as a sentence.
  const ofTile = ({ html }: { html: string }) => html.includes('role="option"') || html.includes("member-main");
  return violations
    .map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.filter((node) => !(id === MISMATCH && ofTile(node))) }))
    .filter(({ nodes }) => nodes.length)
    .filter(({ id, impact }) => impact === "serious" || impact === "critical" || id.startsWith("landmark"))
    .map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html}\n${failureSummary}`).join("\n")}`,
    );
}

test.each(Object.keys(STATES).flatMap((state) => [[state, "light"] as const, [state, "dark"] as const]))(
  "axe finds nothing %s, %s",
  async (state, theme) => {
    if (theme === "dark") document.body.classList.add("dark");
    if (state.endsWith("restore")) saveBins("cats", { model: "old", ...BINS, corpus: ["image-9"] });
    const page = await mount({ traits: { ...BINS, name: "cats" }, live: true });
    await vi.waitFor(() => expect(page.root.querySelector("canvas[data-heatmap]")).not.toBeNull());
    await STATES[state]?.(page);
    await settled();
    // An element that fades in does not have its final contrast yet.
    await Promise.allSettled(
      page.root
        .getAnimations({ subtree: true })
        .filter(ends)
        .map(({ finished }) => finished),
    );
    expect(await findings(page)).toEqual([]);
  },
);

const ends = (animation: Animation) => Number.isFinite(animation.effect?.getComputedTiming().endTime as number);

test("axe finds nothing on an empty page, nor where two are side by side", async () => {
  const page = await mount();
  expect(await findings(page)).toEqual([]);
  await mount();
  const { violations } = await axe.run(document.body, { runOnly: ["landmark-unique", "landmark-main-is-top-level"] });
  expect(violations).toEqual([]);
});

/** The elements that Tab reaches, from the first tab stop of the page to its last. */
async function tabStops(page: Page): Promise<HTMLElement[]> {
  const first = page.root.querySelector<HTMLElement>("button");
  first?.focus();
  const stops: HTMLElement[] = [];
  for (let i = 0; i < 80; i++) {
    const active = document.activeElement as HTMLElement;
    if (!page.root.contains(active)) break;
    stops.push(active);
    await userEvent.tab();
  }
  return stops;
}

test("each region has one tab stop for its tiles, and it stays on a tile", async () => {
  const page = await mount({ traits: { ...BINS, explicands: NAMES.slice(0, 6) } });
  const ofTiles = async () =>
    (await tabStops(page))
      .filter((stop) => stop.closest(".tiles"))
      .map((stop) => `${stop.closest<HTMLElement>("[data-bin]")?.dataset.bin} ${stop.dataset.imageId}`);
  const before = ["gallery image-0", "explicands image-0", "corpus text:a cat", "foil image-2"];
  expect(await ofTiles()).toEqual(before);
  page.tile("explicands", "image-0").focus();
  press(page.tile("explicands", "image-0"), "ArrowRight");
  await settled();
  expect(document.activeElement).toBe(page.tile("explicands", "image-1"));
  expect(await ofTiles()).toEqual(before.with(1, "explicands image-1"));
});

test("the buttons of a tile are named, stand outside of the list, and its keys do the same", async () => {
  const page = await mount({ traits: BINS });
  const tile = page.tile("explicands", "image-3");
  expect(tile.getAttribute("aria-keyshortcuts")).toBe("Enter Delete W");
  expect(tile.querySelector("button")).toBeNull();
  const tools = page.region("explicands").querySelector("[data-tools-of=image-3]") as HTMLElement;
  expect(tools.closest("[role=listbox]")).toBeNull();
  const [where, larger, stop] = [...tools.querySelectorAll("button")];
  expect(where?.ariaLabel).toBe("Where else? To point at places, wait until the image is prepared.");
  expect([larger?.ariaLabel, stop?.ariaLabel]).toEqual(["Enlarge image-3 (Enter)", "Stop explaining image-3 (Delete)"]);
  await userEvent.hover(tile);
  await vi.waitFor(() => expect(getComputedStyle(tools.firstElementChild as Element).opacity).toBe("1"));
  await userEvent.click(stop as HTMLElement);
  expect(page.images("explicands")).toEqual(["image-5"]);
  press(page.tile("explicands", "image-5"), "Delete");
  await settled();
  expect(page.images("explicands")).toEqual([]);
});
