import { afterEach, expect, test } from "vitest";
import { closePages, mount, type Page, settled } from "../page";

/** The hint that an encoder tells images hardly apart. */

let page: Page;
afterEach(closePages);

const note = () => page.root.querySelector("[data-kind=alike]");
const control = (action: string) => page.root.querySelector(`[data-action=${action}]`) as HTMLElement;
const say = async (alike: number | null) => {
  page.kernel.say({ kind: "status", device: "CPU", task: null, ready: 0, explicands: 0, memory: 0, budget: 1, alike });
  await settled();
};

test("the hint offers to centre the bins, and to take that back", async () => {
  page = await mount();
  await say(null);
  expect(note()).toBeNull();
  await say(0.99512);
  expect(note()?.textContent).toContain("nearly the same representation (mean cosine .995). Scores differ little");
  control("centre-alike").click();
  await settled();
  expect(page.kernel.traits.centred).toBe(true);
  expect(note()?.textContent).toContain("The bins are centred");
  control("centre-alike").click();
  await settled();
  expect(page.kernel.traits.centred).toBe(false);
});

test("the hint can be dismissed for good", async () => {
  page = await mount();
  await say(0.95);
  control("dismiss-alike").click();
  await settled();
  expect(note()).toBeNull();
  await say(0.96);
  expect(note()).toBeNull();
});
