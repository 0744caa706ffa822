import type { JSX } from "preact";
import { useStore } from "../context";
import { Icon } from "../ui/icons";
import { InsightSection } from "./InsightSection";
import { clauses, isWarning } from "./stability";

const sentence = (clause: string) => `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;

/** The stability of one explicand in sentences. */
export function StabilityNote({ image }: { image: string }): JSX.Element {
  const { insight } = useStore();
  const stability = insight.stability.kept.value.get(image);
  const stale = stability !== undefined && insight.stability.isStale(stability);
  const phase = stability ? (stale ? "stale" : "ready") : "loading";
  return (
    <InsightSection name="stability" title="Stability" phase={phase}>
      {stability ? (
        <p class="insight-text" data-stale={stale || undefined}>
          {isWarning(stability) && <Icon name="warning" />}
          {clauses(stability).map(sentence).join(" ")}
        </p>
      ) : (
        <p class="insight-text insight-soft">Computed once the bins have not changed for a moment.</p>
      )}
    </InsightSection>
  );
}
