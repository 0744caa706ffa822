/** Half-precision numbers, decoded by table: `Float16Array` is too new to rely on, and 64 k entries are quick to make. */

export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

export class HalfDecoder {
  #table = new Float32Array(0x10000);

  constructor() {
    for (let bits = 0; bits < this.#table.length; bits++) this.#table[bits] = halfToNumber(bits);
  }

  /** The first `count` numbers of `buffer`, which may be a window of a larger buffer. */
  decode(buffer: ArrayBuffer | ArrayBufferView, count: number): Float32Array {
    const [source, offset, bytes] = ArrayBuffer.isView(buffer)
      ? [buffer.buffer, buffer.byteOffset, buffer.byteLength]
      : [buffer, 0, buffer.byteLength];
    if (bytes < 2 * count) throw new RangeError(`A heatmap needs ${2 * count} bytes; ${bytes} came.`);
    // A 16-bit view must start at an even byte, which a message buffer need not.
    const halves =
      offset % 2 ? new Uint16Array(source.slice(offset, offset + 2 * count)) : new Uint16Array(source, offset, count);
    const numbers = new Float32Array(count);
    for (let i = 0; i < count; i++) numbers[i] = this.#table[halves[i] as number] as number;
    return numbers;
  }
}
