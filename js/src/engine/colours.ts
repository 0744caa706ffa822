import { ZERO } from "./colormaps";

/** Writes the colours of `values` × `gain`, of which −1 and 1 have the end colours of `table`, into `pixels`. */
export function colour(values: Float32Array, gain: number, table: Uint32Array, pixels: Uint32Array): void {
  const steps = ZERO - 1;
  const scale = gain * steps;
  for (let i = 0; i < values.length; i++) {
    // As `tableIndex`, in line: this loop is a large part of an update. `| 0` rounds to zero and takes care of NaN.
    const scaled = (values[i] as number) * scale;
    const step = (scaled < 0 ? scaled - 0.5 : scaled + 0.5) | 0;
    pixels[i] = table[ZERO + (step > steps ? steps : step < -steps ? -steps : step)] as number;
  }
}
