/** The standard deviation of the weights, as a part of the side. */
const PART = 1 / 28;

/**
 * Writes weighted means into `smooth`, whose weights have a standard deviation of 1/28 of the side: two passes of a box. Beyond the border
 * the heatmap is mirrored, so that its sum stays the same.
 */
export function smoothen(values: Float32Array, width: number, height: number, smooth: Float32Array): void {
  // Two boxes of 2r + 1 pixels have a variance of ((2r + 1)² − 1)/6.
  const radius = Math.round((Math.sqrt(6 * (PART * Math.max(width, height)) ** 2 + 1) - 1) / 2);
  smooth.set(values);
  for (let i = 0; i < smooth.length; i++) if (!Number.isFinite(smooth[i])) smooth[i] = 0;
  const line = new Float64Array(Math.max(width, height));
  for (let pass = 0; pass < 2; pass++) {
    for (let y = 0; y < height; y++) boxAverage(smooth, y * width, 1, width, radius, line);
    for (let x = 0; x < width; x++) boxAverage(smooth, x, width, height, radius, line);
  }
}

/** Replaces the `length` numbers from `first` on, `step` apart, by the means of those within `radius` of them. */
function boxAverage(
  numbers: Float32Array,
  first: number,
  step: number,
  length: number,
  wanted: number,
  line: Float64Array,
): void {
  const radius = Math.min(wanted, length);
  for (let i = 0; i < length; i++) line[i] = numbers[first + i * step] as number;
  const at = (i: number) => line[i < 0 ? -1 - i : i >= length ? 2 * length - 1 - i : i] as number;
  let sum = 0;
  for (let i = -radius; i < radius; i++) sum += at(i);
  for (let i = 0; i < length; i++) {
    sum += at(i + radius);
    numbers[first + i * step] = sum / (2 * radius + 1);
    sum -= at(i - radius);
  }
}
