import { afterEach, describe, expect, test } from "vitest";
import { inWords, isWarning, type Stability, verdict } from "../../src/insight/stability";
import { closePages, enlarge, mount, type Page, settled } from "../page";

const STABLE: Stability = {
  image: "a",
  version: 1,
  low: 0.28,
  high: 0.34,
  correlation: 0.93,
  smallest: 24,
  few: false,
};

describe("in words", () => {
  test("a stable score", () => {
    expect([verdict(STABLE), isWarning(STABLE)]).toEqual(["sure", false]);
    expect(inWords(STABLE)).toBe(
      "95 % of resampled bins give a score between +0.280 and +0.340; their heatmaps correlate .93 with this one; " +
        "the smallest bin holds 24 images.",
    );
  });

  test("a score that is not stable", () => {
    const few = { ...STABLE, smallest: 3, few: true };
    expect([verdict(few), isWarning(few)]).toEqual(["doubtful", true]);
    expect(inWords(few)).toMatch(/the smallest bin holds 3 images, which is few: 20 or more are stable\.$/);
    const apart = { ...STABLE, correlation: 0.79 };
    expect([verdict(apart), isWarning(apart)]).toEqual(["doubtful", true]);
    expect(inWords(apart)).toContain("correlate only .79");
    expect(isWarning({ ...STABLE, correlation: 0.8 })).toBe(false);
  });

  test("a score of unknown stability", () => {
    const single = { ...STABLE, low: null, high: null, correlation: null, smallest: 1, few: true };
    expect([verdict(single), isWarning(single)]).toEqual(["unknown", true]);
    expect(inWords(single)).toContain("single image");
    expect(inWords(single)).not.toMatch(/null|NaN/);
    const none = { ...single, smallest: 0, few: false };
    expect(inWords(none)).toBe("No bin is used, so there is nothing to resample.");
    expect(isWarning(none)).toBe(false);
    const passes = { ...STABLE, correlation: null };
    expect([verdict(passes), isWarning(passes)]).toEqual(["sure", false]);
    expect(inWords(passes)).toContain("is unknown without encoder passes");
  });
});

describe("on the page", () => {
  let page: Page;
  afterEach(closePages);

  const TRAITS = { explicands: ["image-1", "image-2"], corpus: ["image-3", "image-4"] };
  const badge = (image = "image-1") => page.tile("explicands", image).querySelector(".stability") as HTMLElement;
  const item = (image: string) => ({ image, low: 0.2, high: 0.3, correlation: 0.95 });
  const say = (version: number, more: object = {}) =>
    page.kernel.say({
      kind: "stability",
      version,
      items: [item("image-1"), item("image-2")],
      smallest: 30,
      few: false,
      ...more,
    });
  const start = async () => {
    page = await mount({ traits: TRAITS });
    page.kernel.sayHeatmaps([{ image: "image-1" }, { image: "image-2" }], 4);
    await settled();
  };

  test("a badge comes without moving anything, and is in the name for screen readers", async () => {
    await start();
    const places = () =>
      [".caption-name", ".score", ".stability"].map((part) => {
        const { left, width } = page.tile("explicands", "image-1").querySelector(part)?.getBoundingClientRect() ?? {};
        return [left, width];
      });
    const before = places();
    expect(badge().textContent).toBe("");
    say(4);
    await settled();
    expect(badge().textContent).toBe("±0.05");
    expect(badge().dataset).toMatchObject({ stability: "sure" });
    expect(badge().dataset.warning).toBeUndefined();
    expect(badge().title).toContain("between +0.200 and +0.300");
    expect(badge().ariaLabel).toBe(badge().title);
    expect(page.tile("explicands", "image-1").ariaLabel).toContain("between +0.200 and +0.300");
    expect(places()).toEqual(before);
  });

  test("few images, little correlation and single images are warned of", async () => {
    await start();
    say(4, { smallest: 3, few: true });
    await settled();
    expect(badge().dataset.warning).toBe("true");
    say(4, { items: [{ ...item("image-1"), correlation: 0.5 }, item("image-2")] });
    await settled();
    expect(badge().dataset.warning).toBe("true");
    const mark = (image: string) => getComputedStyle(badge(image)).textDecorationLine;
    expect([mark("image-1"), mark("image-2")]).toEqual(["underline", "none"]);
    say(4, { items: [{ image: "image-1", low: null, high: null, correlation: null }], smallest: 1, few: true });
    await settled();
    expect(badge().textContent).toBe("±?");
    expect(badge().dataset.stability).toBe("unknown");
  });

  test("the stability of an earlier question is marked as old, and a late report is ignored", async () => {
    await start();
    say(4);
    await settled();
    page.kernel.sayHeatmaps([{ image: "image-1" }, { image: "image-2" }], 5);
    await settled();
    expect(badge().dataset.stale).toBe("true");
    expect(getComputedStyle(badge()).fontStyle).toBe("italic");
    expect(page.tile("explicands", "image-1").ariaLabel).not.toContain("between");
    say(4, { items: [{ ...item("image-1"), low: 0, high: 0.9 }] });
    await settled();
    expect(badge().textContent).toBe("±0.05");
    expect(badge().dataset.stale).toBe("true");
    say(5, { items: [{ ...item("image-1"), low: 0, high: 0.5 }] });
    await settled();
    expect(badge().textContent).toBe("±0.25");
    expect(badge().dataset.stale).toBeUndefined();
    // The stability of the other explicand is unknown for this question.
    expect(badge("image-2").textContent).toBe("");
  });

  test("several reports about one question add up; without heatmaps there are no badges", async () => {
    await start();
    say(4, { items: [item("image-1")] });
    say(4, { items: [item("image-2")] });
    await settled();
    expect([badge("image-1").textContent, badge("image-2").textContent]).toEqual(["±0.05", "±0.05"]);
    page.kernel.say({ kind: "heatmaps", version: 5, items: [], failed: [], nothing: "Fill the bins." });
    await settled();
    expect(badge().textContent).toBe("");
  });

  test("a drop marks the badges as old without rendering them again", async () => {
    await start();
    say(4);
    await settled();
    const texts: MutationRecord[] = [];
    const observer = new MutationObserver((records) => texts.push(...records));
    observer.observe(badge(), { childList: true, characterData: true, subtree: true, attributes: true });
    page.kernel.sayHeatmaps([{ image: "image-1", score: 0.4 }, { image: "image-2" }], 5);
    await settled();
    expect(texts.map(({ attributeName }) => attributeName)).toEqual(["data-stale"]);
    observer.disconnect();
  });

  test("small tiles show it too, the enlarged view in sentences", async () => {
    page = await mount({ width: 480, traits: { ...TRAITS, explicands: ["image-1", "image-2", "image-5"] } });
    page.kernel.sayHeatmaps([{ image: "image-1" }], 4);
    say(4, { smallest: 3, few: true });
    await settled();
    const [tile, inside] = [page.tile("explicands", "image-1"), badge()].map((each) => each.getBoundingClientRect());
    expect(inside?.bottom).toBeLessThanOrEqual(tile?.bottom ?? 0);
    expect(badge().textContent).toBe("±0.05");
    const dialog = await enlarge(page, "image-1");
    expect(dialog.querySelector(".enlarged-head .stability")?.textContent).toBe("±0.05");
    const note = () => dialog.querySelector("[data-insight=stability]") as HTMLElement;
    expect(note().dataset.phase).toBe("ready");
    expect(note().textContent).toContain("The smallest bin holds 3 images, which is few: 20 or more are stable.");
    page.kernel.sayHeatmaps([{ image: "image-1" }], 5);
    await settled();
    expect(note().dataset.phase).toBe("stale");
  });
});
