import { computed, type ReadonlySignal, signal } from "@preact/signals";
import type { ImageStability, StabilityReport } from "../kernel/protocol";
import { fraction, images, signed } from "../ui/format";

/** How much an explicand's answer depends on the members of the bins, and what holds for all explicands. */
export interface Stability extends ImageStability {
  version: number;
  smallest: number;
  few: boolean;
}

/** Below this correlation the heatmaps of resampled bins differ too much. */
const CORRELATION_WANTED = 0.8;
const STABLE_FROM = 20;

/** The stability of each explicand; the kernel reports it a moment after the heatmaps that it belongs to. */
export class StabilityState {
  readonly kept = signal<ReadonlyMap<string, Stability>>(new Map());
  /** The largest size of what the scores may be, over all explicands. */
  readonly largest = computed(() => {
    const ends = [...this.kept.value.values()].flatMap(({ low, high }) => [Math.abs(low ?? 0), Math.abs(high ?? 0)]);
    return Math.max(0, ...ends);
  });
  readonly #newest: ReadonlySignal<number>;

  constructor(newest: ReadonlySignal<number>) {
    this.#newest = newest;
  }

  receive({ version, items, smallest, few }: StabilityReport): void {
    if (version !== this.#newest.peek()) return;
    // Of one version there may be several messages; an older one is replaced as a whole.
    const kept = new Map([...this.kept.peek()].filter(([, stability]) => stability.version === version));
    for (const item of items) kept.set(item.image, { ...item, version, smallest, few });
    this.kept.value = kept;
  }

  /** Whether it belongs to an earlier question than the heatmaps on the page. */
  isStale(stability: Stability): boolean {
    return stability.version !== this.#newest.value;
  }
}

export type Verdict = "sure" | "doubtful" | "unknown";

export function verdict({ low, high, correlation, few }: Stability): Verdict {
  if (low === null || high === null) return "unknown";
  return few || (correlation !== null && correlation < CORRELATION_WANTED) ? "doubtful" : "sure";
}

export const isWarning = (stability: Stability): boolean => stability.few || verdict(stability) === "doubtful";

function scoreWords({ low, high, smallest }: Stability): string {
  if (low !== null && high !== null) {
    return `95 % of resampled bins give a score between ${signed(low)} and ${signed(high)}`;
  }
  if (smallest === 1)
    return "With a single image in a bin it is unknown how far the score would move with others of its kind";
  if (smallest === 0) return "No bin is used, so there is nothing to resample";
  return "How far the score would move with other images is unknown";
}

function correlationWords({ low, correlation }: Stability): string | null {
  if (correlation !== null) {
    const only = correlation < CORRELATION_WANTED ? "only " : "";
    return `their heatmaps correlate ${only}${fraction(correlation)} with this one`;
  }
  return low === null ? null : "how much their heatmaps differ is unknown without encoder passes";
}

function sizeWords({ smallest, few }: Stability): string | null {
  if (smallest === 0) return null;
  const held = `the smallest bin holds ${images(smallest)}`;
  return few ? `${held}, which is few: ${STABLE_FROM} or more are stable` : held;
}

/** The stability in words, clause by clause. */
export function clauses(stability: Stability): string[] {
  return [scoreWords(stability), correlationWords(stability), sizeWords(stability)].filter((clause) => clause !== null);
}

/** The stability in one sentence, for tooltips and screen readers. */
export const inWords = (stability: Stability): string => `${clauses(stability).join("; ")}.`;
