/** Numbers and amounts as the page writes them. */

/** Signed, three significant digits: heatmap values and scores are compared by eye. */
export function signed(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const size = Math.abs(value);
  const digits = size < 0.001 || size >= 10_000 ? size.toExponential(1) : size.toPrecision(3);
  return (value < 0 ? "−" : "+") + digits;
}

/** As `signed`, without a plus: for values that are never negative. */
export const plain = (value: number): string => signed(value).replace("+", "");

const UNITS: readonly (readonly [number, string])[] = [
  [1e-3, "thousandths"],
  [1e-6, "millionths"],
  [1e-9, "billionths"],
  [1e-12, "trillionths"],
];

/**
 * A magnitude in two significant digits and a unit in words, which is empty from 0.01 on: ["32", "millionths"] for 3.2e-5.
 * The unit is that of `beside`, so that numbers that stand side by side compare.
 */
export function measured(value: number, beside = value): [string, string] {
  const reference = Math.abs(beside);
  const plainly: readonly [number, string] = [1, ""];
  const [size, unit] =
    reference >= 0.01 || !(reference > 0)
      ? plainly
      : (UNITS.find(([size]) => reference >= 0.995 * size) ?? UNITS.at(-1) ?? plainly);
  if (!Number.isFinite(value)) return ["–", ""];
  const count = Math.abs(value) / size;
  if (count < 5e-5) return ["0", unit];
  const digits = count.toPrecision(2);
  return [Number(digits) < 100 ? digits : String(Number(digits)), unit];
}

/** As `measured`, in one text. */
export const amount = (value: number, beside = value): string => measured(value, beside).join(" ").trim();

/** As `amount`, with a sign. */
export function signedAmount(value: number, beside = value): string {
  const [digits] = measured(value, beside);
  const sign = digits === "0" || digits === "–" ? "" : value < 0 ? "−" : "+";
  return sign + amount(value, beside);
}

/** A part of one: "12 %", with one more digit where it is small. */
export function percent(part: number): string {
  const size = 100 * part;
  return `${size > 0 && size < 9.95 ? size.toFixed(1) : Math.round(size)} %`;
}

/** A number within −1..1 without the zero before its point: correlations and the like. */
export function fraction(value: number): string {
  const size = Math.abs(value);
  const digits = size > 0 && size < 0.01 ? size.toPrecision(1) : size.toFixed(2);
  return (value < 0 ? "−" : "") + digits.replace(/^0\./, ".");
}

export function bytes(count: number): string {
  if (count < 1e6) return `${Math.round(count / 1e3)} kB`;
  return count < 1e9 ? `${Math.round(count / 1e6)} MB` : `${(count / 1e9).toFixed(1)} GB`;
}

const grouped = new Intl.NumberFormat("en");

export const count = (n: number): string => grouped.format(n);

export const images = (n: number): string => `${count(n)} ${n === 1 ? "image" : "images"}`;
