import { type ReadonlySignal, signal } from "@preact/signals";
import type { Reliability, Sureness } from "../kernel/protocol";
import { fraction, halfWidth, images, signed } from "../ui/format";

/** How sure an explicand's answer is, with what was said about all of them. */
export interface Sure extends Sureness {
  version: number;
  smallest: number;
  few: boolean;
}

/** Below this the heatmaps of resampled bins show something else too often. */
const AGREEMENT_WANTED = 0.8;
const STABLE_FROM = 20;

/** Keeps what the kernel says about reliability; it comes a moment after the heatmaps that it is about. */
export class StabilityState {
  readonly kept = signal<ReadonlyMap<string, Sure>>(new Map());

  readonly #newest: ReadonlySignal<number>;

  constructor(newest: ReadonlySignal<number>) {
    this.#newest = newest;
  }

  receive({ version, items, smallest, few }: Reliability): void {
    if (version !== this.#newest.peek()) return;
    // Of one version there may be several messages; an older one is replaced as a whole.
    const kept = new Map([...this.kept.peek()].filter(([, sure]) => sure.version === version));
    for (const item of items) kept.set(item.image, { ...item, version, smallest, few });
    this.kept.value = kept;
  }

  /** Whether it was said about an earlier question than the heatmaps on the page. */
  isStale(sure: Sure): boolean {
    return sure.version !== this.#newest.value;
  }
}

export type Verdict = "sure" | "doubtful" | "unknown";

export function verdict({ low, high, agreement, few }: Sure): Verdict {
  if (low === null || high === null) return "unknown";
  return few || (agreement !== null && agreement < AGREEMENT_WANTED) ? "doubtful" : "sure";
}

export const isWarning = (sure: Sure): boolean => sure.few || verdict(sure) === "doubtful";

/** "±.03": half of the interval that holds 95 % of the scores. */
export const interval = ({ low, high }: Sure): string =>
  `±${low === null || high === null ? "?" : halfWidth(low, high)}`;

function scoreWords({ low, high, smallest }: Sure): string {
  if (low !== null && high !== null) {
    return `95 % of resampled bins give a score between ${signed(low)} and ${signed(high)}`;
  }
  if (smallest === 1)
    return "A bin with a single image cannot tell how far the score would move with others of its kind";
  if (smallest === 0) return "No bin is used, so there is nothing to resample";
  return "How far the score would move with other images cannot be told";
}

function agreementWords({ low, agreement }: Sure): string | null {
  if (agreement !== null) {
    const only = agreement < AGREEMENT_WANTED ? "only " : "";
    return `their heatmaps correlate ${only}${fraction(agreement)} with this one`;
  }
  return low === null ? null : "how much their heatmaps differ cannot be told without encoder passes";
}

function sizeWords({ smallest, few }: Sure): string | null {
  if (smallest === 0) return null;
  const held = `the smallest bin holds ${images(smallest)}`;
  return few ? `${held}, which is few: ${STABLE_FROM} or more are stable` : held;
}

/** All of it, clause by clause. */
export function clauses(sure: Sure): string[] {
  return [scoreWords(sure), agreementWords(sure), sizeWords(sure)].filter((clause) => clause !== null);
}

/** In full, as a tooltip and to screen readers. */
export const inWords = (sure: Sure): string => `${clauses(sure).join("; ")}.`;
