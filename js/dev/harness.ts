import { textId } from "../src/bins/texts";
import { showPage } from "../src/page";
import { FakeKernel, type FakeThumbnail } from "./fake-kernel";
import { FakeView } from "./fake-view";

/**
 * The page with a made-up kernel: `npm run harness`. `?n=100000` sets the number of images, `?explicands=4` and so on
 * the bins, `?layer=error` a trait, and `?photos=/some/folder/` takes photographs `names.json` lists there instead of painted ones;
 * with `?products` the page computes the heatmaps.
 */

const query = new URLSearchParams(location.search);
const number = (name: string, fallback: number) => Number(query.get(name) ?? fallback);
const folder = query.get("photos");
const names: string[] = folder ? await (await fetch(`${folder}names.json`)).json() : [];
const images = names.length ? names : Array.from({ length: number("n", 200) }, (_, i) => `image-${i}`);

async function thumbnail(image: string, size: number): Promise<FakeThumbnail> {
  const source = folder ? await createImageBitmap(await (await fetch(folder + image)).blob()) : null;
  const aspect = source
    ? source.width / source.height
    : 0.7 + ((image.length + image.charCodeAt(image.length - 1)) % 8) / 8;
  const width = Math.round(aspect > 1 ? size : size * aspect);
  const height = Math.round(aspect > 1 ? size / aspect : size);
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d") as OffscreenCanvasRenderingContext2D;
  if (source) context.drawImage(source, 0, 0, width, height);
  else {
    const hue = [...image].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 7) % 360;
    context.fillStyle = `hsl(${hue} 40% 55%)`;
    context.fillRect(0, 0, width, height);
    context.fillStyle = `hsl(${hue + 40} 50% 75%)`;
    context.arc(width / 2, height / 2, Math.min(width, height) / 3, 0, 7);
    context.fill();
  }
  const blob = await canvas.convertToBlob({ type: "image/jpeg", quality: 0.85 });
  const inset = Math.abs(1 - 1 / aspect) / 2;
  return {
    bytes: new Uint8Array(await blob.arrayBuffer()),
    type: blob.type,
    width,
    height,
    frame: aspect > 1 ? [inset, 0, 1 - inset, 1] : [0, (1 - aspect) / 2, 1, (1 + aspect) / 2],
  };
}

const texts = (name: string) => (query.get(name) ?? "").split("|").filter(Boolean).map(textId);
const explicands = number("explicands", 4);
// Other images than the explicands, where there are enough.
const behind = Math.max(20, explicands + number("corpus", 5));
const kernel = new FakeKernel({
  images,
  labels: images.map((name) => name.replace(/[.-].*/, "")),
  thumbnail,
  live: true,
  traits: {
    explicands: images.slice(0, explicands),
    corpus: [...texts("corpus-texts"), ...images.slice(explicands, explicands + number("corpus", 5))],
    foil: [...texts("foil-texts"), ...images.slice(behind, behind + number("foil", 7))],
    gallery_heatmaps: query.has("gallery"),
    height: number("height", 720),
    layer: query.get("layer") ?? "attribution",
    colormap: query.get("colormap") ?? "orange-blue",
  },
});
const el = document.getElementById("page") as HTMLElement;
if (query.has("dark")) document.body.classList.add("dark");
if (query.has("width")) el.style.width = `${query.get("width")}px`;
showPage(new FakeView(kernel), el);
if (query.has("products")) {
  // As if each image's representation were one number: enough to see what dragging over a bin shows.
  const numbers = Object.fromEntries(images.slice(0, 100).map((image, i) => [image, Math.sin(3 * i)]));
  kernel.sayProducts(images.slice(0, explicands), numbers);
}
