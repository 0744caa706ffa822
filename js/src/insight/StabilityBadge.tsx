import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useStore } from "../context";
import { halfText } from "../explicands/score";
import { inWords, isWarning, verdict } from "./stability";

/**
 * The interval of a score. It keeps its place before it is known, so that nothing jumps when it comes; and when the bins
 * change, only its `data-stale` does, so that a drop renders nothing here.
 */
export function StabilityBadge({ image }: { image: string }): JSX.Element {
  const { insight, explicands } = useStore();
  const { heatmaps } = explicands;
  const known = useComputed(() => (heatmaps.info(image).value ? insight.stability.kept.value.get(image) : undefined));
  const stale = useComputed(() => (known.value && insight.stability.isStale(known.value)) || undefined);
  const stability = known.value;
  if (!stability) return <span class="stability" />;
  const words = inWords(stability);
  return (
    <span
      class="stability"
      data-stability={verdict(stability)}
      data-warning={isWarning(stability) || undefined}
      data-stale={stale}
      role="img"
      aria-label={words}
      title={words}
    >
      {halfText(stability.low, stability.high, insight.scoreLimit.value)}
    </span>
  );
}
