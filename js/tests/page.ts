import { expect, vi } from "vitest";
import { FakeKernel, type FakeOptions, type FakeThumbnail } from "../dev/fake-kernel";
import { FakeModel } from "../dev/fake-model";
import { FakeView } from "../dev/fake-view";
import widget from "../src/index";
import css from "../src/index.css?inline";
import { showPage } from "../src/page";

/** Mounts the page on a fake kernel, with its style sheet, as a notebook would. */

export interface Page {
  kernel: FakeKernel;
  /** The model between the page and the kernel; only with `comm`. */
  model: FakeModel | null;
  root: HTMLElement;
  tile: (region: string, image: string) => HTMLElement;
  region: (name: string) => HTMLElement;
  dropMark: (name: string) => string | undefined;
  images: (region: string) => string[];
  cleanup: () => void;
}

export const NAMES = Array.from({ length: 12 }, (_, i) => `image-${i}`);

/** A plain grey JPEG, twice as wide as high, of which the encoder sees the middle square. */
export async function greyThumbnail(_image: string, size: number): Promise<FakeThumbnail> {
  const canvas = new OffscreenCanvas(size, size / 2);
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  context.fillStyle = "#888";
  context.fillRect(0, 0, size, size);
  const blob = await canvas.convertToBlob({ type: "image/jpeg" });
  const bytes = new Uint8Array(await blob.arrayBuffer());
  // Inside a larger buffer, as the bytes of a message part may be.
  const padded = new Uint8Array(bytes.length + 5);
  padded.set(bytes, 3);
  const window = new Uint8Array(padded.buffer, 3, bytes.length);
  return { bytes: window, type: blob.type, width: 200, height: 100, frame: [0.25, 0, 0.75, 1] };
}

interface MountOptions extends Partial<FakeOptions> {
  width?: number;
  shadow?: boolean;
  kernel?: FakeKernel;
  /** Mounts it as anywidget does, with a model between the page and the kernel. */
  comm?: boolean;
}

const pages: Page[] = [];

/** Removes all pages that a test has mounted: `afterEach(closePages)`. */
export function closePages(): void {
  for (const page of pages.splice(0)) page.cleanup();
}

export async function mount({
  width = 1200,
  shadow = false,
  comm = false,
  kernel,
  ...options
}: MountOptions = {}): Promise<Page> {
  const fake = kernel ?? new FakeKernel({ images: NAMES, thumbnail: greyThumbnail, ...options });
  const host = document.createElement("div");
  host.style.width = `${width}px`;
  document.body.append(host);
  const place = shadow ? host.attachShadow({ mode: "open" }) : host;
  const style = document.createElement("style");
  style.textContent = css;
  const el = document.createElement("div");
  place.append(style, el);
  const model = comm ? new FakeModel(fake) : null;
  const props = { model, el, signal: new AbortController().signal };
  const dispose = model
    ? widget.render(props as unknown as Parameters<typeof widget.render>[0])
    : showPage(new FakeView(fake), el);
  const root = el.querySelector("[data-cocoa]") as HTMLElement;
  const region = (name: string) => root.querySelector(`[data-bin=${name}]`) as HTMLElement;
  const page: Page = {
    kernel: fake,
    model,
    root,
    region,
    dropMark: (name) => region(name).querySelector<HTMLElement>(".drop-mark")?.dataset.drop,
    tile: (name, image) => region(name).querySelector(`[data-image-id="${image}"]`) as HTMLElement,
    images: (name) =>
      [...region(name).querySelectorAll<HTMLElement>("[data-image-id]")].map((t) => t.dataset.imageId ?? ""),
    cleanup: () => {
      dispose();
      host.remove();
    },
  };
  pages.push(page);
  if (!options.silent)
    await vi.waitFor(() => expect(root.dataset.state).toBe("ready"), { timeout: 5000, interval: 10 });
  return page;
}

export function centre(element: Element): { x: number; y: number } {
  const { left, top, width, height } = element.getBoundingClientRect();
  return { x: left + width / 2, y: top + height / 2 };
}

/** Dispatches a synthetic pointer event where the browser would deliver it. */
export function point(
  type: "pointerdown" | "pointermove" | "pointerup" | "pointercancel",
  target: Element,
  { x, y }: { x: number; y: number },
  init: PointerEventInit = {},
): void {
  const buttons = type === "pointerup" ? 0 : 1;
  const common = { bubbles: true, composed: true, cancelable: true, pointerId: 7, isPrimary: true, buttons };
  target.dispatchEvent(new PointerEvent(type, { ...common, clientX: x, clientY: y, ...init }));
}

/** Presses, drags in steps and releases. */
export function drag(from: Element, to: Element, init: PointerEventInit = {}): void {
  const [start, end] = [centre(from), centre(to)];
  point("pointerdown", from, start, init);
  for (const t of [0.2, 0.6, 1]) {
    point("pointermove", from, { x: start.x + t * (end.x - start.x), y: start.y + t * (end.y - start.y) }, init);
  }
  point("pointerup", from, end, init);
}

export function press(target: Element, key: string, init: KeyboardEventInit = {}): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, composed: true, cancelable: true, ...init });
  target.dispatchEvent(event);
  return event;
}

/** Answers the latest request of a kind, as the kernel would. */
export function reply(kernel: FakeKernel, kind: "influence" | "curves", body: object): void {
  const request = kernel.requests(kind).at(-1);
  kernel.say({ kind, id: request?.id, image: request?.image, ...body });
}

/** Opens the enlarged view of an explicand. */
export async function enlarge(page: Page, image: string): Promise<HTMLElement> {
  press(page.tile("explicands", image), "Enter");
  await settled();
  return page.root.querySelector("[role=dialog]") as HTMLElement;
}

export const settled = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 0)));

/** The colour of a canvas at fractions of its size. */
export function pixel(canvas: HTMLCanvasElement, x: number, y: number): [number, number, number, number] {
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  const [r = 0, g = 0, b = 0, a = 0] = context.getImageData(x * canvas.width, y * canvas.height, 1, 1).data;
  return [r, g, b, a];
}
