import { afterEach, expect, test, vi } from "vitest";
import { FakeKernel } from "../dev/fake-kernel";
import { closePages, drag, greyThumbnail, mount, NAMES, type Page, settled } from "./page";

afterEach(closePages);

test("names, labels and messages are shown as text, not as HTML", async () => {
  const evil = "<img src=x onerror='window.hacked=1'>";
  const page = await mount({ images: [evil], labels: [evil], traits: { explicands: [evil] } });
  page.kernel.say({ kind: "error", message: evil });
  page.kernel.sayHeatmaps([{ image: evil }]);
  await settled();
  expect(page.root.querySelector("img[onerror]")).toBeNull();
  expect(page.root.querySelector(".toast")?.textContent).toContain(evil);
  page.root.querySelector<HTMLElement>(".toast button")?.click();
  await settled();
  expect(page.root.querySelector(".toast")).toBeNull();
  expect("hacked" in window).toBe(false);
});

test("closing takes leave of the kernel and leaves nothing behind", async () => {
  const page = await mount({ comm: true });
  const revoked = vi.spyOn(URL, "revokeObjectURL");
  const host = page.root.parentElement as HTMLElement;
  page.cleanup();
  expect(page.kernel.requests("leave")).toHaveLength(1);
  expect(page.model?.listenerCount).toBe(0);
  expect(revoked).toHaveBeenCalledTimes(NAMES.length);
  expect(host.children).toHaveLength(0);
  revoked.mockRestore();
});

test.each([true, false])("two views of one kernel agree (over a model: %s)", async (comm) => {
  const kernel = new FakeKernel({ images: NAMES, thumbnail: greyThumbnail });
  const [one, two] = [await mount({ comm, kernel }), await mount({ comm, kernel })];
  drag(one.tile("gallery", "image-1"), one.region("corpus"));
  await settled();
  expect(two.images("corpus")).toEqual(["image-1"]);
  one.cleanup();
  kernel.set({ foil: ["image-2"] });
  await settled();
  expect(two.images("foil")).toEqual(["image-2"]);
});

test("100,000 images open fast, in few elements, and scroll to the end", async () => {
  const images = Array.from({ length: 100_000 }, (_, i) => `photo-${i}`);
  const start = performance.now();
  const page = await mount({ images });
  expect(performance.now() - start).toBeLessThan(2000);
  expect(page.root.querySelectorAll("*").length).toBeLessThan(500);
  const list = page.region("gallery").querySelector(".tiles") as HTMLElement;
  list.scrollTop = list.scrollHeight;
  await vi.waitFor(() => expect(page.images("gallery")).toContain("photo-99999"));
  await vi.waitFor(() => expect(page.tile("gallery", "photo-99999").querySelector("img")).not.toBeNull());
  const asked = page.kernel.requests("thumbnails").flatMap((request) => request.images);
  expect(asked.length).toBeLessThan(200);
  expect(page.root.querySelectorAll("*").length).toBeLessThan(500);
});

test("the filter finds by label", async () => {
  const page = await mount({ labels: NAMES.map((_, i) => (i % 2 ? "Tabby Cat" : null)) });
  const input = page.root.querySelector("input[type=search]") as HTMLInputElement;
  input.value = "cat 3";
  input.dispatchEvent(new Event("input", { bubbles: true }));
  await settled();
  expect(page.images("gallery")).toEqual(["image-3"]);
  expect(page.region("gallery").textContent).toContain("1 of 12");
});

test("images that the filter hides are deselected, so that every button acts on what is seen", async () => {
  const page = await mount();
  const input = page.root.querySelector("input[type=search]") as HTMLInputElement;
  const filter = async (text: string) => {
    input.value = text;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await settled();
  };
  for (const name of ["image-1", "image-2", "image-10"]) {
    page.tile("gallery", name).dispatchEvent(new MouseEvent("click", { bubbles: true, ctrlKey: true }));
  }
  await filter("image-1");
  expect(page.root.querySelector(".selection-count")?.textContent).toBe("2 selected");
  page.root.querySelector<HTMLElement>("[data-action=to-corpus]")?.click();
  await settled();
  expect(page.images("corpus")).toEqual(["image-1", "image-10"]);
  page.tile("gallery", "image-1").click();
  await filter("image-7");
  expect(page.root.querySelector(".selection-bar")).toBeNull();
});

test("a narrow page stacks", async () => {
  const [narrow, wide] = [await mount({ width: 600 }), await mount({ width: 1200 })];
  const top = (page: Page, region: string) => page.region(region).getBoundingClientRect().top;
  expect(top(narrow, "explicands")).toBeGreaterThan(top(narrow, "gallery") + 100);
  expect(top(narrow, "corpus")).toBeGreaterThan(top(narrow, "explicands") + 100);
  expect(top(wide, "explicands")).toBe(top(wide, "gallery"));
  expect(narrow.root.scrollWidth).toBeLessThanOrEqual(narrow.root.clientWidth);
});

test("works inside a shadow root", async () => {
  const page = await mount({ shadow: true });
  drag(page.tile("gallery", "image-1"), page.region("foil"));
  await settled();
  expect(page.images("foil")).toEqual(["image-1"]);
});

test("follows the host's theme, and stops when it is closed", async () => {
  const page = await mount();
  document.body.dataset.jpThemeLight = "false";
  await vi.waitFor(() => expect(page.root.dataset.theme).toBe("dark"));
  document.body.dataset.jpThemeLight = "true";
  await vi.waitFor(() => expect(page.root.dataset.theme).toBe("light"));
  delete document.body.dataset.jpThemeLight;
});

test("a kernel that fails to answer shows why", async () => {
  const page = await mount({ silent: true });
  expect(page.root.dataset.state).toBe("loading");
  page.kernel.say({ kind: "error", id: page.kernel.sent[0]?.id, message: "out of memory" });
  await settled();
  expect(page.root.dataset.state).toBe("error");
  expect(page.region("gallery").textContent).toContain("out of memory");
});
