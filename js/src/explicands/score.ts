import { signed } from "../ui/format";

const STEPS = [1, 1.25, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The end of a scale that holds values up to `largest` in size. It has steps, so that bars seldom change together. */
export function scoreLimit(largest: number): number {
  if (!(largest > 0) || !Number.isFinite(largest)) return 1;
  const power = 10 ** Math.floor(Math.log10(largest));
  return power * (STEPS.find((step) => step * power >= largest * (1 - 1e-9)) ?? 10);
}

/** The decimals of every score on a scale that ends at `limit`; null where scores are written with a power of ten. */
function decimals(limit: number): number | null {
  if (limit < 1e-4 || limit > 1e6) return null;
  if (limit > 10) return limit > 100 ? 0 : 1;
  return Math.max(2, 1 - Math.floor(Math.log10(limit * 0.999)));
}

/** A score with as many decimals as the others on its scale, so that they compare digit by digit. */
export function scoreText(score: number, limit: number): string {
  const digits = decimals(limit);
  if (digits === null || !Number.isFinite(score)) return signed(score);
  const size = Math.abs(score).toFixed(digits);
  return Number(size) === 0 ? size : (score < 0 ? "−" : "+") + size;
}

/** Half of the interval from `low` to `high` as it is written after a score: "±0.03"; "±?" where it is unknown. */
export function halfText(low: number | null, high: number | null, limit: number): string {
  const half = low === null || high === null ? Number.NaN : Math.abs(high - low) / 2;
  if (!Number.isFinite(half)) return "±?";
  const text = scoreText(half, limit).replace("+", "");
  return Number(text) === 0 && half > 0 ? `±${half.toPrecision(1)}` : `±${text}`;
}
