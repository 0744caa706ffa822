import type { JSX } from "preact";
import { useStore } from "../context";
import type { Curve } from "../kernel/protocol";
import { Button } from "../ui/Button";
import { count } from "../ui/format";
import { FOCUSABLE } from "../ui/keyboard";
import { Retry } from "../ui/Retry";
import { InsightSection } from "./InsightSection";
import { LineChart } from "./LineChart";

/** How the score changes when pixels are revealed or removed, the most important of the heatmap first. */
export function CurvesSection({ image }: { image: string }): JSX.Element {
  const { curves } = useStore().insight;
  const answer = curves.about(image);
  const { reply, asking, done, total, error } = answer;
  const stale = curves.isStale(answer);
  const phase = asking ? "asking" : error !== null ? "error" : !reply ? "idle" : stale ? "stale" : "ready";
  const compute = () => {
    curves.ask(image);
  };
  return (
    <InsightSection name="curves" title="Insertion and deletion" phase={phase} busy={asking}>
      {phase === "idle" && (
        <>
          <p class="insight-text insight-soft">
            Reveals and removes pixels in the heatmap’s order. A good heatmap moves the score early.
          </p>
          <Button
            action="compute-curves"
            worded
            class="labelled"
            label="Compute the insertion and deletion curves"
            onClick={compute}
          >
            Compute curves
          </Button>
        </>
      )}
      {asking && <Progress done={done} total={total} onStop={() => curves.cancel()} />}
      {phase === "error" && error !== null && <Retry message={error} onRetry={compute} />}
      {phase === "stale" && (
        <p class="insight-stale" role="note">
          <span>These curves answer an earlier question.</span>
          <Button
            action="compute-curves"
            worded
            class="labelled"
            label="Compute the curves again for the present bins and settings"
            onClick={compute}
          >
            Compute again
          </Button>
        </p>
      )}
      {reply && <Charts curves={reply.curves} fractions={reply.fractions} old={phase !== "ready"} />}
    </InsightSection>
  );
}

function Progress({ done, total, onStop }: { done: number; total: number; onStop: () => void }): JSX.Element {
  const words = total ? `${count(done)} of ${count(total)} encoder passes` : "Waiting for the kernel…";
  return (
    <div class="insight-progress">
      {/* Without a value the bar is indeterminate. */}
      <progress value={total ? done : undefined} max={Math.max(1, total)} aria-label="Computing the curves" />
      <span>{words}</span>
      <Button action="stop-curves" class="labelled" label="Stop computing the curves" onClick={onStop}>
        Stop
      </Button>
    </div>
  );
}

interface ChartsProps {
  curves: readonly Curve[];
  fractions: readonly number[];
  old: boolean;
}

/** One chart at a time, chosen among the measures. */
function Charts({ curves, fractions, old }: ChartsProps): JSX.Element | null {
  const { measure } = useStore().insight;
  const chosen = curves.find((curve) => curve.measure === measure.value) ?? curves[0];
  if (!chosen) return null;
  return (
    <div data-stale={old || undefined}>
      {curves.length > 1 && (
        <div class="segments" role="group" aria-label="Measure">
          {curves.map((curve) => (
            <button
              key={curve.measure}
              type="button"
              class="segment"
              data-measure={curve.measure}
              aria-pressed={curve === chosen}
              onClick={() => {
                measure.value = curve.measure;
              }}
              {...FOCUSABLE}
            >
              {curve.label}
            </button>
          ))}
        </div>
      )}
      {curves.length === 1 && <p class="insight-text">{chosen.label}</p>}
      <LineChart fractions={fractions} curve={chosen} />
    </div>
  );
}
