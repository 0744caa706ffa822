import { describe, expect, test } from "vitest";
import { halfBits } from "../../dev/fake-kernel";
import { HalfDecoder, halfToNumber } from "../../src/engine/float16";

describe("half precision", () => {
  test("known bit patterns", () => {
    const known: [number, number][] = [
      [0x3c00, 1],
      [0xc000, -2],
      [0x3555, 0.333251953125],
      [0x7bff, 65504],
      [0x0001, 2 ** -24],
      [0x83ff, -1023 * 2 ** -24],
      [0x0400, 2 ** -14],
      [0x7c00, Number.POSITIVE_INFINITY],
    ];
    for (const [bits, value] of known) expect(halfToNumber(bits)).toBe(value);
    expect(halfToNumber(0x7e00)).toBeNaN();
    expect(Object.is(halfToNumber(0x8000), -0)).toBe(true);
  });

  test.each([0, 1, 2, 7])("decodes a window at byte %i of a larger buffer", (offset) => {
    const view = new DataView(new ArrayBuffer(offset + 9), offset);
    [0.5, -1, 0.25].forEach((value, i) => {
      view.setUint16(2 * i, halfBits(value), true);
    });
    expect([...new HalfDecoder().decode(view, 3)]).toEqual([0.5, -1, 0.25]);
  });

  test("refuses a buffer that is too short", () => {
    expect(() => new HalfDecoder().decode(new ArrayBuffer(4), 3)).toThrow("needs 6 bytes");
  });
});
