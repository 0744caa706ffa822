import type { JSX } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { moveImages } from "../bins/actions";
import { useStore } from "../context";
import { Button } from "../ui/Button";
import { CurvesSection } from "./CurvesSection";
import { InfluenceSection } from "./InfluenceSection";
import { StabilityNote } from "./StabilityNote";

/** The panel beside an enlarged explicand: its stability, the contributions to its score, insertion and deletion. */
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
          <StabilityNote image={image} />
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
      <p>This image is not an explicand. Explain it to see its stability and the contribution of each bin member.</p>
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
