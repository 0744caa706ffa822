import { expect, test } from "vitest";
import { COLORMAPS, colorTable, tableIndex } from "../../src/engine/colormaps";
import { colour } from "../../src/engine/colours";

test("every value has the colour of the table, with the ends for what exceeds them and nothing for what is no number", () => {
  const table = colorTable(COLORMAPS[0]);
  const values = Float32Array.from([-3, -1, -0.5, -0.001, 0, 0.001, 0.25, 1, 3, Number.NaN]);
  const pixels = new Uint32Array(values.length);
  colour(values, 0.5, table, pixels);
  expect([...pixels]).toEqual([...values].map((value) => table[tableIndex(value * 0.5)]));
});
