import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useHeatmapInfo, useStore } from "../context";

/** A score as a bar from zero, on one scale for all explicands, with a whisker over its interval. */
export function ScoreBar({ image }: { image: string }): JSX.Element | null {
  const { insight } = useStore();
  const score = useHeatmapInfo(image)?.score;
  const { low = null, high = null } = useComputed(() => insight.stability.kept.value.get(image)).value ?? {};
  const limit = insight.scoreLimit.value;
  if (score === undefined) return null;
  const at = (value: number) => 50 + 50 * Math.max(-1, Math.min(1, value / limit));
  const between = (from: number, to: number) => ({
    left: `${at(Math.min(from, to))}%`,
    width: `${Math.abs(at(to) - at(from))}%`,
  });
  return (
    <span class="score-bar" aria-hidden="true">
      <i class="score-fill" data-sign={score < 0 ? "negative" : "positive"} style={between(0, score)} />
      {low !== null && high !== null && <i class="score-whisker" style={between(low, high)} />}
    </span>
  );
}
