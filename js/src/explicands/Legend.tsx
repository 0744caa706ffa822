import type { JSX } from "preact";
import { useCatalogue, useStore } from "../context";
import { ATTRIBUTION, isSigned } from "../engine/layers";
import { plain } from "../ui/format";
import { ColorBar } from "./ColorBar";

const ENDS: Record<string, [string, string]> = {
  contrastive_corpus: ["foil", "corpus"],
  corpus: ["unlike corpus", "like corpus"],
  label_free: ["unlike itself", "like itself"],
  contrastive_label_free: ["foil", "itself"],
};

const PLACE_ENDS = ["unlike the place", "like the place"];

/** The colour bar with its numbers, and whether all images share its scale. */
export function Legend(): JSX.Element {
  const { explicands, settings } = useStore();
  const places = explicands.heatmaps.placeScale.shown.value;
  const scale = places ?? explicands.heatmaps.scale.shown.value;
  const shared = settings.scale.value === "shared";
  const layer = scale?.layer ?? ATTRIBUTION;
  const bothSigns = isSigned(layer);
  const [negative, positive] = places ? PLACE_ENDS : (ENDS[settings.target.value] ?? ["against", "for"]);
  const peak = scale && shared ? plain(scale.peak) : "peak";
  const title = useCatalogue()?.layers?.find(({ name }) => name === layer)?.label ?? layer;
  return (
    <div class="legend" data-layer={layer} data-quiet={scale === null || undefined} role="group" aria-label="Legend">
      <span class={bothSigns ? "legend-end legend-negative" : "legend-end"}>{bothSigns ? negative : title}</span>
      <div class="legend-scale">
        <ColorBar layer={layer} />
        <div class="legend-numbers">
          {bothSigns && <span>−{peak}</span>}
          <span>0</span>
          <span>
            {bothSigns && "+"}
            {peak}
          </span>
        </div>
      </div>
      {bothSigns && <span class="legend-end legend-positive">{positive}</span>}
      <span class="legend-note">
        {shared ? "shared scale" : "each image its own scale"}
        {shared && scale && scale.groups > 1 && " (previews: their own)"}
      </span>
    </div>
  );
}
