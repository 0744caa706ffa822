import { afterEach, expect, test, vi } from "vitest";
import type { FakeModel } from "../../dev/fake-model";
import { closePages, drag, mount, type Page, press, settled } from "../page";

/** Pages that were asleep, or cut off without notice, and two views of one widget. */

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  closePages();
});

const NUMBERS = { "image-1": 1, "image-3": 0.5, "image-4": -1, "image-5": 0.3 };
const TRAITS = { explicands: ["image-1"], corpus: ["image-3"] };
const HOUR = 3_600_000;
const canvas = (page: Page) => page.region("explicands").querySelector("canvas.heat") as HTMLCanvasElement;
const score = (page: Page) => page.tile("explicands", "image-1").querySelector(".score")?.textContent;
const watches = (page: Page) => page.kernel.requests("watch");

function visibility(state: "hidden" | "visible"): void {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state);
  document.dispatchEvent(new Event("visibilitychange"));
}

/** Loses all messages to a page, without notice. */
const deafen = (page: Page) => page.kernel.ends.delete(page.model as FakeModel);
const hearAgain = (page: Page) => page.kernel.ends.add(page.model as FakeModel);
const viewOf = (page: Page) => watches(page).at(-1)?.view ?? "";

async function start(): Promise<Page> {
  const page = await mount({ comm: true, traits: TRAITS });
  page.kernel.sayProducts(["image-1"], NUMBERS);
  page.kernel.say({ kind: "heatmaps", version: 1, space: 1, items: [], failed: [], waiting: [] });
  await vi.waitFor(() => expect(watches(page).length).toBeGreaterThan(0));
  return page;
}

test("after an hour asleep, with all messages lost and the view forgotten, the page is right again", async () => {
  const page = await start();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  visibility("hidden");
  deafen(page);
  const asked = page.kernel.requests("ping").length;
  vi.advanceTimersByTime(HOUR);
  expect(page.kernel.requests("ping")).toHaveLength(asked); // a hidden page does not ping
  page.kernel.set({ corpus: ["image-4"] }); // code, meanwhile
  page.kernel.sent.push({ kind: "leave", id: "gone", view: viewOf(page) }); // the kernel forgets the view
  hearAgain(page);
  const before = watches(page).length;
  visibility("visible");
  await vi.waitFor(() => expect(watches(page)).toHaveLength(before + 1));
  expect(watches(page).at(-1)).toMatchObject({ renew: true });
  expect(page.root.dataset.kernel).toBe("live");
  vi.useRealTimers();
  await vi.waitFor(() => expect(page.images("corpus")).toEqual(["image-4"]));
  page.kernel.sayProducts(["image-1"], NUMBERS, { space: 2 });
  page.kernel.say({ kind: "heatmaps", version: 7, space: 2, items: [], failed: [], waiting: [] });
  await settled();
  expect([canvas(page).dataset.stale, canvas(page).dataset.heatmapVersion, score(page)]).toEqual([
    "false",
    "7",
    "−1.00",
  ]);
});

test("a connection that was dead without notice loses neither the page's operations nor the kernel's", async () => {
  const page = await start();
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date"] });
  deafen(page);
  page.kernel.options.silent = true;
  drag(page.tile("gallery", "image-4"), page.region("foil")); // is lost on the way
  expect(canvas(page).dataset.stale).toBe("false"); // and shown all the same
  vi.advanceTimersByTime(10_000);
  expect(page.root.dataset.kernel).toBe("silent");
  vi.advanceTimersByTime(HOUR);
  page.kernel.set({ corpus: ["image-5"] });
  page.kernel.options.silent = false;
  hearAgain(page);
  document.dispatchEvent(new Event("visibilitychange")); // pings at once, as it does regularly
  vi.useRealTimers();
  await vi.waitFor(() => expect(page.kernel.traits.foil).toEqual(["image-4"]));
  expect(page.root.dataset.kernel).toBe("live");
  await vi.waitFor(() => expect([page.images("corpus"), page.images("foil")]).toEqual([["image-5"], ["image-4"]]));
  await settled();
  expect(score(page)).toBe("+1.30");
});

test("of many messages that waited for the page the newest decides", async () => {
  const page = await start();
  for (let version = 2; version < 300; version++) {
    page.kernel.sayHeatmaps([{ image: "image-1", score: version, progress: 0.1 }], version);
    if (version % 3 === 0) page.kernel.sayProducts(["image-1"], { ...NUMBERS, "image-3": version }, { space: version });
  }
  page.kernel.sayProducts(["image-1"], { ...NUMBERS, "image-3": 0.25 }, { space: 400 });
  page.kernel.sayProducts(["image-1"], { ...NUMBERS, "image-3": 9 }, { space: 399 });
  page.kernel.say({ kind: "heatmaps", version: 300, space: 400, items: [], failed: [], waiting: [] });
  page.kernel.sayHeatmaps([{ image: "image-1", score: 77, progress: 2 }], 299);
  await settled();
  expect([canvas(page).dataset.heatmapVersion, canvas(page).dataset.stale, score(page)]).toEqual([
    "300",
    "false",
    "+0.25",
  ]);
});

test("two views of different sizes compute for themselves, and one that reconnects catches up", async () => {
  const wide = await start();
  const narrow = await mount({ comm: true, kernel: wide.kernel, width: 480 });
  await vi.waitFor(() => expect(new Set(watches(wide).map(({ view }) => view)).size).toBe(2));
  const sizes = [wide, narrow].map((page) => canvas(page).width);
  expect(sizes[0]).not.toBe(sizes[1]);
  wide.kernel.sayProducts(["image-1"], NUMBERS); // as the kernel does for a new view; both receive it
  await settled();
  expect([score(wide), score(narrow)]).toEqual(["+0.50", "+0.50"]);
  narrow.model?.cutOff();
  wide.kernel.ends.delete(narrow.model as FakeModel);
  await settled();
  expect([wide.root.dataset.kernel, narrow.root.dataset.kernel]).toEqual(["live", "closed"]);
  drag(wide.tile("gallery", "image-4"), wide.region("corpus"));
  narrow.tile("gallery", "image-5").focus();
  press(narrow.tile("gallery", "image-5"), "f"); // on the page alone, until it is connected
  await settled();
  expect([score(wide), score(narrow)]).toEqual(["−0.25", "+0.20"]);
  wide.kernel.ends.add(narrow.model as FakeModel);
  (narrow.model as FakeModel).live = true;
  const before = watches(wide).length;
  narrow.model?.fire("comm_live_update");
  await vi.waitFor(() => expect(watches(wide).length).toBeGreaterThan(before));
  expect(watches(wide).at(-1)).toMatchObject({ renew: true });
  await vi.waitFor(() => expect([score(wide), score(narrow)]).toEqual(["−0.55", "−0.55"]));
  expect([wide.images("foil"), narrow.images("corpus")]).toEqual([["image-5"], ["image-3", "image-4"]]);
});
