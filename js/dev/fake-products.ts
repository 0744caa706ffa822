import type { Product, Products } from "../src/kernel/protocol";

/** Made-up products in which every representation is one number, so that a direction and its heatmap are easy to see. */

interface FakeProducts {
  /** The number of each image and prompt; the cosine of two is their product. */
  numbers: Record<string, number>;
  members: string[];
  items: (Partial<Product> & { image: string })[];
  settings: Products["settings"];
  space: number;
  dropped?: string[];
}

export const CELLS = 2;
export const SIDE = 16;

/**
 * A message and its buffers. The heatmap of an image with the number x and the direction w has two columns, −w and 2w, each
 * half of the width; its score is x · w.
 */
export function fakeProducts({
  numbers,
  members,
  items,
  settings,
  space,
  dropped = [],
}: FakeProducts): [Products, DataView[]] {
  const rows = new Float32Array(SIDE).fill(1);
  const columns = new Float32Array(SIDE * CELLS).map((_, i) =>
    Math.floor(i / CELLS) < SIDE / 2 ? 1 - (i % 2) : i % 2,
  );
  const of = (id: string) => numbers[id] ?? 0;
  const product = (image: string, member: string) => [-of(member), 2 * of(member), of(image) * of(member)];
  const buffers = items.map(({ image }) =>
    Float32Array.from([image, ...members].flatMap((member) => product(image, member))),
  );
  const full = { method: settings.method, preview: false, progress: 1, replaces: true };
  return [
    {
      kind: "products",
      space,
      settings,
      members,
      cells: [1, CELLS],
      size: [SIDE, SIDE],
      items: items.map((item) => ({ ...full, ...item })),
      dropped,
    },
    [rows, columns, ...buffers].map(atOddOffset),
  ];
}

/** Inside of a larger buffer and not aligned, as the buffers of messages may be. */
function atOddOffset(numbers: Float32Array): DataView {
  const bytes = new Uint8Array(numbers.byteLength + 9);
  bytes.set(new Uint8Array(numbers.buffer), 3);
  return new DataView(bytes.buffer, 3, numbers.byteLength);
}
