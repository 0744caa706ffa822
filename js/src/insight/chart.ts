/** The arithmetic of a small line chart. */

/** Round numbers within low..high, about `count` of them. */
export function ticks(low: number, high: number, count: number): number[] {
  const span = high - low;
  if (!(span > 0) || !Number.isFinite(span)) return [low];
  const rough = span / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((nice) => nice * power >= rough) ?? 10);
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  // Multiplied, as adding would accumulate rounding errors; `+ 0` turns −0 into 0.
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)) + 0);
}

/** The range of all finite values, a little wider; a flat line lies in its middle. */
export function range(...series: readonly (readonly number[])[]): [number, number] {
  const finite = series.flat().filter(Number.isFinite);
  if (!finite.length) return [0, 1];
  const [low, high] = [Math.min(...finite), Math.max(...finite)];
  const margin = high > low ? (high - low) * 0.06 : Math.abs(high) * 0.1 || 0.5;
  return [low - margin, high + margin];
}

/** An SVG path through the points; where a value is not finite, the line is broken. */
export function linePath(xs: readonly number[], ys: readonly number[]): string {
  let pen = "M";
  let path = "";
  xs.forEach((x, i) => {
    const y = ys[i];
    if (y === undefined || !Number.isFinite(y)) {
      pen = "M";
      return;
    }
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  });
  return path;
}
