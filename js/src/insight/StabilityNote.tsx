import type { JSX } from "preact";
import { useStore } from "../context";
import { Icon } from "../ui/icons";
import { InsightSection } from "./InsightSection";
import { clauses, isWarning } from "./stability";

const sentence = (clause: string) => `${clause.charAt(0).toUpperCase()}${clause.slice(1)}.`;

/** The reliability of one explicand in sentences. */
export function SurenessNote({ image }: { image: string }): JSX.Element {
  const { stability } = useStore().insight;
  const sure = stability.kept.value.get(image);
  const stale = sure !== undefined && stability.isStale(sure);
  const phase = sure ? (stale ? "stale" : "ready") : "loading";
  return (
    <InsightSection name="sureness" title="How sure?" phase={phase}>
      {sure ? (
        <p class="insight-text" data-stale={stale || undefined}>
          {isWarning(sure) && <Icon name="warning" />}
          {clauses(sure).map(sentence).join(" ")}
        </p>
      ) : (
        <p class="insight-text insight-soft">Told once the question has rested for a moment.</p>
      )}
    </InsightSection>
  );
}
