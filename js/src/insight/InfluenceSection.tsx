import type { JSX } from "preact";
import { useHeatmapInfo, useStore } from "../context";
import { signed } from "../ui/format";
import { Retry } from "../ui/Retry";
import { InsightSection } from "./InsightSection";
import { type Contributions, completed } from "./influence";
import { MemberList } from "./MemberList";

/** The contribution of each bin member to the score. */
export function InfluenceSection({ image }: { image: string }): JSX.Element {
  const { insight, explicands, bins, settings } = useStore();
  const answer = insight.influence.about(image);
  const { asking, error } = answer;
  useHeatmapInfo(image); // what the page computes changes with the heatmap
  const own = explicands.heatmaps.influence(image);
  const reply = own ? completed(own, answer.reply) : answer.reply;
  const stale = insight.influence.isStale(answer);
  // A member that has just been removed is hidden at once, before the kernel answers anew.
  const present = reply?.members.filter((member) => bins.has(member.bin, member.image)) ?? [];
  const phase = error !== null ? "error" : answer.reply ? (stale ? "stale" : "ready") : "loading";
  const empty = !settings.corpus.value.length && !settings.foil.value.length;
  return (
    <InsightSection
      name="influence"
      title="Contribution of each bin member"
      phase={phase}
      busy={asking}
      aside={reply && asking && <span class="insight-soft">updating…</span>}
    >
      {error !== null && <Retry message={error} onRetry={() => insight.influence.ask(image)} />}
      {reply && present.length === 0 && (
        <p class="insight-text insight-soft">
          {empty ? "The bins are empty." : "This target uses no member of the bins."}
        </p>
      )}
      {!reply && error === null && <p class="insight-text insight-soft">Asking the kernel…</p>}
      {reply && present.length > 0 && (
        <div data-stale={(stale && !own) || undefined} data-stale-changes={(stale && own !== null) || undefined}>
          <Sums reply={reply} />
          <MemberList members={present} />
        </div>
      )}
    </InsightSection>
  );
}

/** The score, and the sum of the shares of each bin. */
function Sums({ reply: { members, score } }: { reply: Contributions }): JSX.Element {
  const sum = (bin: string) =>
    members.filter((member) => member.bin === bin).reduce((total, { share }) => total + share, 0);
  const has = (bin: string) => members.some((member) => member.bin === bin);
  return (
    <p class="insight-text">
      Score <b>{signed(score)}</b>
      {has("corpus") && (
        <>
          {" · "}corpus <b class="in-corpus">{signed(sum("corpus"))}</b>
        </>
      )}
      {has("foil") && (
        <>
          {" · "}foil <b class="in-foil">{signed(sum("foil"))}</b>
        </>
      )}
    </p>
  );
}
