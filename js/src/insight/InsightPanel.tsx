import type { JSX } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { moveImages } from "../bins/actions";
import { useStore } from "../context";
import { Button } from "../ui/Button";
import { CurvesSection } from "./CurvesSection";
import { InfluenceSection } from "./InfluenceSection";
import { SurenessNote } from "./StabilityNote";

/** What lies behind the enlarged explicand's heatmap: how sure it is, which images did it, and whether it holds. */
export function InsightPanel({ image }: { image: string }): JSX.Element {
  const store = useStore();
  const explained = store.bins.has("explicands", image);
  const nothing = store.explicands.heatmaps.nothing.value;
  useLayoutEffect(() => (explained ? store.insight.follow(image) : undefined), [image, explained]);
  return (
    <aside
      class="insight"
      data-insight="panel"
      data-brief={!explained || nothing !== null || undefined}
      aria-label="Insight"
    >
      {!explained ? (
        <Unexplained image={image} />
      ) : nothing !== null ? (
        <p class="insight-note">{nothing}</p>
      ) : (
        <>
          <SurenessNote image={image} />
          <InfluenceSection image={image} />
          <CurvesSection image={image} />
        </>
      )}
    </aside>
  );
}

function Unexplained({ image }: { image: string }): JSX.Element {
  const store = useStore();
  return (
    <div class="insight-note">
      <p>This image is not an explicand. Explain it to see which images did it and how sure that is.</p>
      <Button
        action="explain"
        class="labelled"
        label={`Explain ${image}`}
        onClick={() => moveImages(store, [image], "gallery", "explicands")}
      >
        Explain this image
      </Button>
    </div>
  );
}
