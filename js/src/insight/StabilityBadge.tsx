import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useStore } from "../context";
import { interval, inWords, isWarning, type Stability, verdict } from "./stability";

interface BadgeProps {
  image: string;
  /** `number` has no icon; `over` is a number on the photograph. */
  size?: "full" | "number" | "over";
}

/**
 * The stability of the score. It keeps its place before it is known, so that nothing jumps when it comes; and when the bins
 * change, only its `data-stale` does, so that a drop renders nothing here.
 */
export function StabilityBadge({ image, size = "full" }: BadgeProps): JSX.Element {
  const { insight, explicands } = useStore();
  const { heatmaps } = explicands;
  const known = useComputed(() => (heatmaps.info(image).value ? insight.stability.kept.value.get(image) : undefined));
  const stale = useComputed(() => (known.value && insight.stability.isStale(known.value)) || undefined);
  const stability = known.value;
  if (!stability) return <span class="stability" data-size={size} />;
  const words = inWords(stability);
  return (
    <span
      class="stability"
      data-stability={verdict(stability)}
      data-warning={isWarning(stability) || undefined}
      data-size={size}
      data-stale={stale}
      role="img"
      aria-label={words}
      title={words}
    >
      {size === "full" && <Whisker stability={stability} score={heatmaps.info(image).peek()?.score ?? 0} />}
      <span>{interval(stability)}</span>
    </span>
  );
}

/** An icon of the interval, with the score at its place in it. */
function Whisker({ stability: { low, high }, score }: { stability: Stability; score: number }): JSX.Element {
  const known = low !== null && high !== null;
  const at = known && high > low ? Math.min(1, Math.max(0, (score - low) / (high - low))) : 0.5;
  return (
    <svg class="whisker" viewBox="0 0 18 10" aria-hidden="true">
      <path d="M1.5 2v6M16.5 2v6M1.5 5h15" stroke-dasharray={known ? undefined : "2 2"} />
      {known && <circle cx={3 + 12 * at} cy="5" r="2.2" />}
    </svg>
  );
}
