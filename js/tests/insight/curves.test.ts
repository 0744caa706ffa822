import { afterEach, expect, test, vi } from "vitest";
import { closePages, enlarge, mount, type Page, press, reply, settled } from "../page";

let page: Page;
let dialog: HTMLElement;
afterEach(closePages);

const section = () => page.root.querySelector("[data-insight=curves]") as HTMLElement;
const button = (action: string) => section().querySelector(`[data-action=${action}]`) as HTMLElement | null;
const asked = () => page.kernel.requests("curves");
const FRACTIONS = [0, 0.25, 0.5, 1];
const curve = (measure: string, label: string) => ({
  measure,
  label,
  insertion: [0, 0.2, 0.3, 0.4],
  deletion: [0.4, 0.1, 0.05, -0.1],
  insertion_auc: 0.271,
  deletion_auc: 0.0625,
});
const part = (done: number, total = 40) => reply(page.kernel, "curves", { done, total, fractions: [], curves: [] });
const finish = async (curves = [curve("similarity", "Similarity"), curve("majority", "Majority")]) => {
  reply(page.kernel, "curves", { done: 40, total: 40, fractions: FRACTIONS, curves });
  await settled();
};
const start = async () => {
  page = await mount({ traits: { explicands: ["image-1", "image-2"], corpus: ["image-3"] } });
  page.kernel.sayHeatmaps([{ image: "image-1" }, { image: "image-2" }], 4);
  dialog = await enlarge(page, "image-1");
};
const compute = async () => {
  button("compute-curves")?.click();
  await settled();
};

test("nothing is computed before the button is pressed; then the progress is shown", async () => {
  await start();
  expect(section().dataset.phase).toBe("idle");
  expect(asked()).toHaveLength(0);
  await compute();
  expect(asked()).toMatchObject([{ image: "image-1" }]);
  expect(section().dataset.phase).toBe("asking");
  const bar = () => section().querySelector("progress") as HTMLProgressElement;
  expect(bar().position).toBe(-1);
  part(10);
  await settled();
  expect(bar().position).toBe(0.25);
  expect(section().textContent).toContain("10 of 40 encoder passes");
  part(40);
  await settled();
  expect(section().dataset.phase).toBe("asking");
  await finish();
  expect(section().dataset.phase).toBe("ready");
  expect(section().querySelector("progress")).toBeNull();
});

test("the lines, what they enclose, and the same in words and numbers", async () => {
  await start();
  await compute();
  await finish();
  const line = (name: string) => section().querySelector(`.chart > svg .chart-${name}`) as SVGPathElement;
  expect(line("insertion").getAttribute("d")?.match(/[ML]/g)).toHaveLength(FRACTIONS.length);
  // Values fall downwards on the screen.
  const heights = (name: string) =>
    [...(line(name).getAttribute("d") ?? "").matchAll(/ ([\d.]+)/g)].map(([, y]) => Number(y));
  expect(heights("insertion")[0]).toBeGreaterThan(heights("insertion").at(-1) as number);
  expect(heights("deletion")[0]).toBeLessThan(heights("deletion").at(-1) as number);
  expect(heights("insertion")[3]).toBeCloseTo(heights("deletion")[0] as number, 3);
  const style = (name: string) => getComputedStyle(line(name));
  expect(style("insertion").stroke).not.toBe(style("deletion").stroke);
  expect(style("insertion").strokeDasharray).not.toBe(style("deletion").strokeDasharray);
  expect(section().querySelector("[role=img]")?.ariaLabel).toBe(
    "Similarity: insertion has an area under its curve of 0.271, deletion of 0.0625",
  );
  expect(section().querySelector("figcaption")?.textContent).toBe("insertion AUC 0.271deletion AUC 0.0625");
  const table = section().querySelector("table") as HTMLTableElement;
  expect(table.rows).toHaveLength(1 + FRACTIONS.length);
  expect([...(table.rows[2]?.cells ?? [])].map(({ textContent }) => textContent)).toEqual(["25 %", "0.200", "0.100"]);
  // For screen readers only: it takes no room.
  const hidden = table.parentElement as HTMLElement;
  expect([hidden.offsetWidth, hidden.offsetHeight]).toEqual([1, 1]);
  const panel = page.root.querySelector("[data-insight=panel]") as HTMLElement;
  expect(panel.scrollHeight).toBe(panel.clientHeight);
});

test("the pointer reads a fraction, and one measure is chosen among several", async () => {
  await start();
  await compute();
  await finish();
  const svg = section().querySelector(".chart > svg") as SVGElement;
  const { left, width, top } = svg.getBoundingClientRect();
  svg.dispatchEvent(new PointerEvent("pointermove", { clientX: left + width - 1, clientY: top + 5, bubbles: true }));
  await settled();
  expect(section().querySelector("figcaption")?.textContent).toBe("insertion 0.400deletion −0.100at 100 %");
  const [first, second] = section().querySelectorAll<HTMLElement>(".segment");
  expect([first?.ariaPressed, second?.ariaPressed]).toEqual(["true", "false"]);
  second?.click();
  await settled();
  expect([first?.ariaPressed, second?.ariaPressed]).toEqual(["false", "true"]);
  expect(section().querySelector<HTMLElement>(".chart")?.dataset.measure).toBe("majority");
});

test("curves of an earlier question are marked as old and can be computed again", async () => {
  await start();
  await compute();
  await finish([curve("similarity", "<i>Similarity</i>")]);
  expect(section().textContent).toContain("<i>Similarity</i>");
  page.kernel.sayHeatmaps([{ image: "image-1" }], 5);
  await settled();
  expect(section().dataset.phase).toBe("stale");
  expect(section().textContent).toContain("answer an earlier question");
  expect(section().querySelector(".chart")).not.toBeNull();
  await new Promise((resolve) => setTimeout(resolve, 250));
  expect(asked()).toHaveLength(1);
  await compute();
  expect(asked()).toHaveLength(2);
  await finish();
  expect(section().dataset.phase).toBe("ready");
});

test("curves are marked as old when the question has changed while they were computed", async () => {
  await start();
  await compute();
  page.kernel.sayHeatmaps([{ image: "image-1" }], 5);
  await finish();
  expect(section().dataset.phase).toBe("stale");
});

test("a failed computation can be tried again", async () => {
  await start();
  await compute();
  part(10);
  page.kernel.say({ kind: "error", id: asked()[0]?.id, message: "out of memory" });
  await settled();
  expect(section().dataset.phase).toBe("error");
  expect(section().querySelector("[role=alert]")?.textContent).toContain("out of memory");
  button("retry")?.click();
  await settled();
  expect(section().dataset.phase).toBe("asking");
  await finish();
  expect(section().querySelector("[role=alert]")).toBeNull();
});

test("the computation is stopped by its button, by the next image and by closing; late replies are ignored", async () => {
  await start();
  await compute();
  part(10);
  await settled();
  button("stop-curves")?.click();
  await settled();
  expect(section().dataset.phase).toBe("idle");
  const cancelled = () => page.kernel.requests("cancel").map(({ cancels }) => cancels);
  expect(cancelled()).toContain(asked()[0]?.id);
  await finish();
  expect(section().dataset.phase).toBe("idle");

  await compute();
  press(dialog, "ArrowRight");
  await settled();
  expect(cancelled()).toContain(asked()[1]?.id);
  expect(section().dataset.phase).toBe("idle");
  await compute();
  expect(asked()[2]?.image).toBe("image-2");
  press(dialog, "Escape");
  await vi.waitFor(() => expect(cancelled()).toContain(asked()[2]?.id));
});

test("the keyboard reaches every button, and Tab stays in the dialog", async () => {
  await start();
  reply(page.kernel, "influence", {
    score: 0.3,
    members: [{ image: "image-3", bin: "corpus", share: 0.3, change: null, outlier: false }],
  });
  await settled();
  const reached = new Set<Element | null>();
  for (let i = 0; i < 14; i++) {
    press(document.activeElement as Element, "Tab");
    reached.add(document.activeElement);
    expect(dialog.contains(document.activeElement)).toBe(true);
  }
  expect(reached).toContain(button("compute-curves"));
  expect(reached).toContain(page.root.querySelector(".member-main"));
  expect(reached).toContain(page.root.querySelector("[data-action=toggle-insight]"));
  button("compute-curves")?.focus();
  button("compute-curves")?.click();
  await settled();
  // The button has gone: the dialog has the focus and its keys work.
  expect(dialog.contains(document.activeElement)).toBe(true);
});
