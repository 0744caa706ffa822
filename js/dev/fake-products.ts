import type { Product, Products } from "../src/kernel/protocol";

/** Made-up products in which every representation is one number, so that a direction and its heatmap are easy to see. */

interface FakeProducts {
  /** The number of each image and prompt; the cosine of two is their product. */
  numbers: Record<string, number>;
  members: string[];
  items: (Partial<Product> & { image: string })[];
  settings: Products["settings"];
  space: number;
  /** Whether the message has the spread; with `guide`, it ends with a guided filter, whose guide has bytes of that value. */
  spread?: boolean;
  guide?: (i: number) => number;
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
  spread = true,
  guide,
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
  const guides = items.map(() => Uint8Array.from({ length: 3 * SIDE ** 2 }, (_, i) => guide?.(i) ?? 0));
  const full = { method: settings.method, preview: false, progress: 1, replaces: true };
  return [
    {
      kind: "products",
      space,
      settings,
      members,
      spread: spread
        ? {
            size: [SIDE, SIDE],
            terms: [{ kind: "separable", cells: [1, CELLS] }],
            filter: guide ? { radius: 2, epsilon: 3e-4 } : null,
          }
        : null,
      items: items.map((item) => ({ ...full, ...item })),
      dropped,
    },
    [...(spread ? [rows, columns] : []), ...buffers, ...(spread && guide ? guides : [])].map(atOddOffset),
  ];
}

/** Inside of a larger buffer and not aligned, as the buffers of messages may be. */
function atOddOffset(numbers: Float32Array | Uint8Array): DataView {
  const bytes = new Uint8Array(numbers.byteLength + 9);
  bytes.set(new Uint8Array(numbers.buffer), 3);
  return new DataView(bytes.buffer, 3, numbers.byteLength);
}
