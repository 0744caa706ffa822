import { afterEach, describe, expect, test, vi } from "vitest";
import { CHOICES } from "../../dev/fake-catalogue";
import { centre, closePages, drag, enlarge, mount, type Page, point, press, reply, settled } from "../page";

let page: Page;
afterEach(closePages);

const find = (selector: string) => page.root.querySelector<HTMLElement>(selector);
const field = (bin = "corpus") => find(`[data-add-text=${bin}]`) as HTMLInputElement;
const announced = () => find("[aria-live]")?.textContent?.trim();
const asked = () => page.kernel.requests("add_texts");
const write = (input: HTMLInputElement, text: string) => {
  input.value = text;
  input.dispatchEvent(new Event("input", { bubbles: true }));
};
const answer = async (body: object = {}) => {
  page.kernel.say({ kind: "texts", id: asked().at(-1)?.id, added: 1, skipped: [], cut: [], ...body });
  await settled();
};

describe("the field", () => {
  test("Enter asks the kernel, which is seen to be busy, and then the field is free", async () => {
    page = await mount();
    write(field(), "  a   dog ");
    press(field(), "Enter");
    await settled();
    expect(asked()).toMatchObject([{ bin: "corpus", texts: ["a dog"], list: null }]);
    expect(field().ariaBusy).toBe("true");
    press(field(), "Enter");
    expect(asked()).toHaveLength(1);
    page.kernel.set({ corpus: ["text:a dog"] });
    await answer();
    expect(field().value).toBe("");
    expect(field().ariaBusy).toBe("false");
    expect(announced()).toBe("1 text added to corpus. It has 1.");
    expect(page.images("corpus")).toEqual(["text:a dog"]);
    expect(page.kernel.saves).toBe(0);
  });

  test("prompts typed while the kernel is busy wait their turn", async () => {
    page = await mount();
    for (const text of ["a dog", "a cat"]) {
      write(field(), text);
      press(field(), "Enter");
      await settled();
    }
    expect(asked().map(({ texts }) => texts)).toEqual([["a dog"]]);
    await answer();
    expect(asked().map(({ texts }) => texts)).toEqual([["a dog"], ["a cat"]]);
    expect(field().ariaBusy).toBe("true");
    await answer();
    expect(field().ariaBusy).toBe("false");
  });

  test("keeps its text when the kernel refuses, and says why", async () => {
    page = await mount();
    write(field("foil"), "a dog");
    press(field("foil"), "Enter");
    page.kernel.say({ kind: "error", id: asked()[0]?.id, message: "The tower is out of memory." });
    await settled();
    expect(field("foil").value).toBe("a dog");
    expect(find(".toast")?.textContent).toContain("out of memory");
  });

  test("a pasted list is added at once; what is left out or cut is reported", async () => {
    page = await mount();
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", "a dog\na cat\n<b>bold</b>");
    field().dispatchEvent(new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }));
    expect(asked()[0]?.texts).toEqual(["a dog", "a cat", "<b>bold</b>"]);
    await answer({ added: 2, skipped: [{ text: "a cat", reason: "It is there." }], cut: ["<b>bold</b>"] });
    const toasts = [...page.root.querySelectorAll(".toast")].map((toast) => toast.textContent);
    expect(toasts).toEqual([
      "Not added: “a cat”. It is there.",
      "Longer than the 77 tokens that the encoder reads, so the end is ignored: “<b>bold</b>”.",
    ]);
    expect(find(".toast b")).toBeNull();
  });

  test("a key leads to it, Escape leaves, and its letters are not commands", async () => {
    page = await mount({ traits: { foil: ["image-1"] } });
    press(page.tile("gallery", "image-0"), "t");
    expect(document.activeElement).toBe(field());
    press(page.tile("gallery", "image-0"), "T", { shiftKey: true });
    expect(document.activeElement).toBe(field("foil"));
    press(field("foil"), "c");
    press(field("foil"), "Delete");
    expect(page.kernel.saves).toBe(0);
    press(field("foil"), "Escape");
    await settled();
    expect(document.activeElement).toBe(page.tile("foil", "image-1"));
    press(page.tile("foil", "image-1"), "t");
    expect(document.activeElement).toBe(field("foil"));
  });

  test("without a text tower nothing about texts is shown", async () => {
    const text = { ...CHOICES.text, available: false, reason: "No text tower." };
    page = await mount({ catalogue: { text }, traits: { corpus: ["image-1"] } });
    for (const selector of ["[data-add-text]", "[data-action^=text-menu]", "[data-action=rank]"])
      expect(find(selector)).toBeNull();
    page.cleanup();
    page = await mount({ catalogue: { text: undefined } });
    expect(find("[data-add-text]")).toBeNull();
    press(page.tile("gallery", "image-0"), "?");
    await settled();
    expect(find(".help")?.textContent).not.toContain("texts");
  });
});

describe("in a bin", () => {
  const traits = { corpus: ["image-1", "text:a dog", "image-2", "text:a <i>cat</i>"], explicands: ["image-5"] };

  test("texts stand above the photographs, as text, and the arrows follow", async () => {
    page = await mount({ traits });
    expect(page.images("corpus")).toEqual(["text:a dog", "text:a <i>cat</i>", "image-1", "image-2"]);
    const tile = page.tile("corpus", "text:a <i>cat</i>");
    expect(tile.hasAttribute("data-text")).toBe(true);
    expect(page.tile("corpus", "image-1").hasAttribute("data-text")).toBe(false);
    expect(tile.querySelector("i")).toBeNull();
    expect(tile.ariaLabel).toBe("text “a <i>cat</i>”, in corpus");
    expect(tile.querySelector<HTMLElement>(".prompt-text")?.dir).toBe("auto");
    expect(tile.getBoundingClientRect().bottom).toBeLessThan(
      page.tile("corpus", "image-1").getBoundingClientRect().top,
    );
    page.tile("corpus", "text:a dog").focus();
    press(page.tile("corpus", "text:a dog"), "ArrowDown", { shiftKey: true });
    await settled();
    // The second photograph is the one below the middle of the first text.
    expect(document.activeElement).toBe(page.tile("corpus", "image-2"));
    expect(find(".selection-count")?.textContent).toBe("4 selected");
    expect(
      page.kernel
        .requests("thumbnails")
        .flatMap(({ images }) => images)
        .filter((id) => id.startsWith("text:")),
    ).toEqual([]);
  });

  test("texts are dragged, sent and removed like images", async () => {
    page = await mount({ traits });
    drag(page.tile("corpus", "text:a dog"), page.region("foil"));
    expect(page.kernel.traits.foil).toEqual(["text:a dog"]);
    await settled();
    expect(announced()).toBe("1 text moved from corpus to foil. Foil has 1.");
    press(page.tile("foil", "text:a dog"), "Delete");
    expect(page.kernel.traits.foil).toEqual([]);
  });

  test("texts cannot be explained or enlarged, and the page says why", async () => {
    page = await mount({ traits });
    drag(page.tile("corpus", "text:a dog"), page.region("explicands"));
    await settled();
    expect(announced()).toMatch(/no pixels/);
    press(page.tile("corpus", "text:a dog"), "Enter");
    await settled();
    expect(find("[role=dialog]")).toBeNull();
    press(page.tile("corpus", "text:a dog"), " ");
    await settled();
    expect(find("[data-action=to-explicands]")).toBeNull();
    expect(find("[data-action=to-foil]")?.title).toBe("Move “a dog” to foil (F)");
    expect(page.kernel.saves).toBe(0);
  });

  test("5,000 texts take no more elements than those on screen", async () => {
    page = await mount({ traits: { corpus: Array.from({ length: 5000 }, (_, i) => `text:prompt ${i}`) } });
    expect(page.images("corpus").length).toBeLessThan(40);
    const list = page.region("corpus").querySelector(".tiles") as HTMLElement;
    list.scrollTop = list.scrollHeight;
    await vi.waitFor(() => expect(page.images("corpus")).toContain("text:prompt 4999"));
    expect(page.images("corpus").length).toBeLessThan(40);
  });

  test("the influence of a text is shown in the list of influences", async () => {
    page = await mount({ traits });
    page.kernel.sayHeatmaps([{ image: "image-5" }], 4);
    await enlarge(page, "image-5");
    const of = { bin: "corpus", share: 0.4, change: 0.1, outlier: false };
    reply(page.kernel, "influence", { score: 0.3, members: [{ image: "text:a dog", ...of }] });
    await settled();
    const row = find("[data-member='text:a dog'] .member-main") as HTMLElement;
    expect(row.ariaLabel).toMatch(/^text “a dog” in corpus, share/);
    row.click();
    await settled();
    expect(find(".member-more")?.textContent).toContain("“a dog” adds +0.400");
    expect(find(".member-more .prompt-text")?.textContent).toBe("a dog");
  });
});

describe("how texts are read", () => {
  const open = async (bin = "corpus") => {
    find(`[data-action=text-menu-${bin}]`)?.click();
    await vi.waitFor(() => expect(find("[role=dialog]")?.contains(document.activeElement)).toBe(true));
  };

  test("a list is asked for by its name", async () => {
    page = await mount();
    await open("foil");
    expect(find("[data-list=imagenet]")?.textContent).toContain("ImageNet · 1,000 names");
    find("[data-list=imagenet]")?.click();
    await settled();
    expect(asked()).toMatchObject([{ bin: "foil", texts: [], list: "imagenet" }]);
    expect(find("[role=dialog]")).toBeNull();
    expect(field("foil").ariaBusy).toBe("true");
  });

  test("a template is chosen or written; a wrong one says what is missing", async () => {
    page = await mount();
    await open();
    find("[data-template=photo]")?.click();
    expect(page.kernel.traits.template).toBe("photo");
    const own = find("[data-setting=template]") as HTMLInputElement;
    write(own, "a drawing");
    press(own, "Enter");
    await settled();
    expect(find(".menu-wrong")?.textContent).toContain("{}");
    expect(page.kernel.traits.template).toBe("photo");
    write(own, "a drawing of a {}");
    press(own, "Enter");
    await settled();
    expect(page.kernel.traits.template).toBe("a drawing of a {}");
    expect(find(".own-template")?.dataset.own).toBe("true");
    expect(find("[role=radio][aria-checked=true]")).toBeNull();
    press(own, "Escape");
    await settled();
    expect(find("[role=dialog]")).toBeNull();
    expect(document.activeElement).toBe(find("[data-action=text-menu-corpus]"));
  });

  test("the menu stays inside the page, also where it is narrow", async () => {
    for (const width of [1200, 420]) {
      page = await mount({ width });
      for (const bin of ["corpus", "foil"]) {
        await open(bin);
        const [inner, outer] = [find("[role=dialog]"), page.root].map((e) => (e as Element).getBoundingClientRect());
        expect(inner?.top).toBeGreaterThanOrEqual(outer?.top as number);
        expect(inner?.left).toBeGreaterThanOrEqual(outer?.left as number);
        expect(inner?.right).toBeLessThanOrEqual(outer?.right as number);
        expect(inner?.bottom).toBeLessThanOrEqual(outer?.bottom as number);
        press(document.activeElement as Element, "Escape");
        await settled();
      }
      expect(page.root.scrollWidth).toBeLessThanOrEqual(page.root.clientWidth);
      if (width === 1200) page.cleanup();
    }
  });

  test("texts alone are warned about, and centring is one click", async () => {
    page = await mount({ traits: { corpus: ["text:a dog"] } });
    const note = () => find("[data-note=modality-gap]");
    expect(note()?.textContent).toContain("their gap to images");
    note()?.querySelector("button")?.click();
    await settled();
    expect(page.kernel.traits.centred).toBe(true);
    expect(note()).toBeNull();
    page.kernel.set({ centred: false, foil: ["text:a cat"] });
    await settled();
    expect(note()).toBeNull();
  });
});

describe("ranking the gallery by a text", () => {
  const input = () => find("[data-bin=gallery] input") as HTMLInputElement;
  const searched = () => page.kernel.requests("search");
  const found = async (images: string[], more: object = {}, request = searched().at(-1)) => {
    const scores = images.map((_, i) => 0.5 - 0.1 * i);
    const body = { images, scores, compared: images.length, total: 12, ...more };
    page.kernel.say({ kind: "search", id: request?.id, ...body });
    await settled();
  };
  const start = async () => {
    page = await mount();
    find("[data-action=rank]")?.click();
    await settled();
    write(input(), "a dog");
    press(input(), "Enter");
    await settled();
  };

  test("the nearest come first, with their scores, and there is a way back", async () => {
    await start();
    expect(searched()).toMatchObject([{ text: "a dog" }]);
    expect(input().ariaBusy).toBe("true");
    await found(["image-7", "image-2", "gone"]);
    expect(page.images("gallery")).toEqual(["image-7", "image-2"]);
    expect(page.tile("gallery", "image-7").textContent).toContain("+0.500");
    expect(page.tile("gallery", "image-2").ariaLabel).toContain("similarity +0.400");
    expect(find(".ranked")?.textContent).toContain("3 of 12 encoded so far");
    find("[data-action=rank-clear]")?.click();
    await vi.waitFor(() => expect(page.images("gallery")).toHaveLength(12));
    expect(find("[data-action=rank]")?.ariaPressed).toBe("false");
  });

  test("the latest wins, and what it replaced is cancelled", async () => {
    await start();
    const [first] = searched();
    write(input(), "a cat");
    press(input(), "Enter");
    expect(page.kernel.requests("cancel")).toMatchObject([{ cancels: first?.id }]);
    await found(["image-1"], {}, first);
    expect(page.images("gallery")).toHaveLength(12);
    await found(["image-4", "image-3"]);
    expect(page.images("gallery")).toEqual(["image-4", "image-3"]);
    drag(page.tile("gallery", "image-3"), page.region("corpus"));
    expect(page.kernel.traits.corpus).toEqual(["image-3"]);
  });

  test("another template asks again; an error is shown and can be tried again", async () => {
    await start();
    await found(["image-1"]);
    page.kernel.set({ template: "photo" });
    await settled();
    expect(searched()).toHaveLength(2);
    page.kernel.say({ kind: "error", id: searched()[1]?.id, message: "Nothing is encoded yet." });
    await settled();
    expect(page.region("gallery").textContent).toContain("Nothing is encoded yet.");
    find("[data-action=retry]")?.click();
    expect(searched()).toHaveLength(3);
  });

  test("the text of a filter is ranked when ranking is turned on", async () => {
    page = await mount();
    write(input(), "dog");
    await settled();
    expect(page.images("gallery")).toEqual([]);
    find("[data-action=rank]")?.click();
    await settled();
    expect(searched()).toMatchObject([{ text: "dog" }]);
    expect(page.images("gallery")).toHaveLength(12);
    press(input(), "Escape");
    await settled();
    expect(input().value).toBe("");
    expect(page.kernel.requests("cancel")).toHaveLength(1);
  });
});

test("a drag over a text does not scroll it", async () => {
  page = await mount({ traits: { foil: ["text:a dog"], explicands: ["image-1"] } });
  const prompt = page.tile("foil", "text:a dog").querySelector(".prompt") as HTMLElement;
  const from = page.tile("gallery", "image-4");
  point("pointerdown", from, centre(from));
  const { left, bottom } = prompt.getBoundingClientRect();
  for (const x of [60, 70, 80]) point("pointermove", from, { x: left + x, y: bottom - 3 });
  for (let frame = 0; frame < 3; frame++) await settled();
  expect(prompt.scrollTop).toBe(0);
  point("pointerup", from, centre(page.region("gallery")));
});
