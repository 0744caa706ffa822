import { effect, signal } from "@preact/signals";
import { afterEach, expect, test } from "vitest";
import { FakeKernel } from "../../dev/fake-kernel";
import { fakeModel } from "../../dev/fake-model";
import { moveImages, swapBins } from "../../src/bins/actions";
import type { Bins } from "../../src/bins/bins";
import { Comm } from "../../src/kernel/comm";
import type { Model } from "../../src/kernel/protocol";
import { Store } from "../../src/store";
import { greyThumbnail, NAMES } from "../page";

/** No observer ever finds an image in corpus and foil at once. */

const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

function watched(model: Model): { store: Store; seen: Bins[] } {
  const store = new Store(new Comm(model), signal(false));
  const seen: Bins[] = [];
  stops.push(
    effect(() => {
      seen.push(store.bins.all.value);
    }),
    () => store.dispose(),
  );
  return { store, seen };
}

const both = ({ corpus, foil }: Bins) => corpus.filter((id) => foil.includes(id));
const make = (corpus: string[], foil: string[]) =>
  new FakeKernel({ images: NAMES, thumbnail: greyThumbnail, traits: { corpus, foil } });

test("while Python moves an image", () => {
  const kernel = make(["image-1", "image-2"], []);
  const { seen } = watched(fakeModel(kernel));
  kernel.set({ foil: ["image-1"], corpus: ["image-2"], explicands: ["image-3"] });
  kernel.set({ corpus: ["image-2", "image-1"], foil: [] });
  expect(seen.flatMap(both)).toEqual([]);
  expect(seen.map(({ corpus, foil }) => [corpus.length, foil.length])).toEqual([
    [2, 0],
    [1, 1],
    [2, 0],
  ]);
});

test("while a page moves and swaps, in its view and in another", () => {
  const kernel = make(["image-1", "image-2"], ["image-3"]);
  const model = fakeModel(kernel);
  const [here, there] = [watched(model), watched(model)];
  moveImages(here.store, ["image-1"], "corpus", "foil");
  swapBins(here.store);
  moveImages(here.store, ["image-2"], "foil", "corpus");
  expect([...here.seen, ...there.seen].flatMap(both)).toEqual([]);
  expect(here.seen).toHaveLength(4);
  expect(there.seen.at(-1)).toEqual(here.seen.at(-1));
  expect(kernel.saves).toBe(3);
});
