import type { JSX } from "preact";
import { useCatalogue, useStore } from "../context";
import { ATTRIBUTION, isSigned } from "../engine/layers";
import { LOOKS, type Look } from "../engine/looks";
import { amount, measured } from "../ui/format";
import { Menu } from "../ui/Menu";
import { PercentSlider } from "../ui/PercentSlider";
import { ColorBar } from "./ColorBar";
import type { Scale } from "./shared-scale";

const ENDS: Record<string, [string, string]> = {
  contrastive_corpus: ["like the foil", "like the corpus"],
  corpus: ["unlike the corpus", "like the corpus"],
  label_free: ["unlike itself", "like itself"],
  contrastive_label_free: ["like the foil", "like itself"],
};

const PLACE_ENDS = ["unlike the place", "like the place"];

/** A scale whose largest value exceeds it by less than this is not said to be clipped. */
const CLIPPED = 1.05;

/** What the colours, lines or lights on the photographs mean, and the menu of looks. */
export function Legend(): JSX.Element {
  const { explicands, settings, kernel } = useStore();
  const places = explicands.heatmaps.placeScale.shown.value;
  const scale = places ?? explicands.heatmaps.scale.shown.value;
  const look = settings.look.value;
  const layer = scale?.layer ?? ATTRIBUTION;
  const [negative, positive] = places ? PLACE_ENDS : (ENDS[settings.target.value] ?? ["against", "for"]);
  const title = useCatalogue()?.layers?.find(({ name }) => name === layer)?.label ?? layer;
  const bothSigns = isSigned(layer);
  return (
    <div class="legend" data-layer={layer} data-quiet={scale === null || undefined} role="group" aria-label="Legend">
      <Menu
        setting="look"
        title="Look"
        choices={LOOKS}
        value={look}
        onChoose={(name) => kernel.change({ look: name as Look })}
      />
      {look === "spotlight" && <Share />}
      <span class={bothSigns ? "legend-end legend-negative" : "legend-end"}>{bothSigns ? negative : title}</span>
      {look !== "spotlight" && <Bar scale={scale} layer={layer} look={look} />}
      {bothSigns && <span class="legend-end legend-positive">{positive}</span>}
      <Notes scale={scale} look={look} />
    </div>
  );
}

/** The colour bar and its numbers. */
function Bar({ scale, layer, look }: { scale: Scale | null; layer: string; look: Look }): JSX.Element {
  const shared = useStore().settings.scale.value === "shared";
  const [end, unit] = scale && shared ? measured(scale.limit) : ["strongest", ""];
  const bothSigns = isSigned(layer);
  const title = scale && shared && unit ? `As a number, ${end} ${unit} is ${scale.limit.toPrecision(2)}` : undefined;
  return (
    <div class="legend-scale" data-clipped={isClipped(scale) || undefined} title={title}>
      <ColorBar layer={layer} look={look} />
      <div class="legend-numbers">
        {bothSigns && <span>−{end}</span>}
        <span>{(bothSigns && unit) || "0"}</span>
        <span>{bothSigns ? `+${end}` : `${end} ${unit}`.trim()}</span>
      </div>
    </div>
  );
}

/** The part of each photograph that a spotlight leaves bright. */
function Share(): JSX.Element {
  return (
    <PercentSlider
      class="legend-share"
      setting="spotlight"
      label="Part of each picture in the spotlight, in per cent"
      caption={(percent) => <span>the strongest {percent} % of each</span>}
      min={1}
      max={50}
    />
  );
}

const isClipped = (scale: Scale | null): boolean => scale !== null && scale.largest > CLIPPED * scale.limit;

/** What a reader has to know besides: which pictures compare, and what the picture does not show of the numbers. */
function Notes({ scale, look }: { scale: Scale | null; look: Look }): JSX.Element {
  const shared = useStore().settings.scale.value === "shared";
  const notes: [string, string][] = [];
  if (look === "spotlight")
    notes.push(["each its own threshold", "What is bright does not compare between the pictures"]);
  else {
    notes.push(
      shared
        ? ["one scale for all", "Colours compare between the pictures"]
        : ["each its own scale", "Colours do not compare between the pictures"],
    );
    if (shared && scale && scale.groups > 1) notes.push(["previews apart", "Previews have a scale of their own"]);
    if (isClipped(scale)) {
      const largest = amount(scale?.largest ?? 0);
      notes.push(["clipped beyond", `Values beyond the ends are shown as the ends are; the largest is ${largest}`]);
    }
    if (look === "tint") notes.push(["weak is grey", "What is below about 15 % of the scale's end has no colour"]);
    else notes.push(["lines at 35, 70 %", "Lines are drawn at these parts of the scale's end"]);
  }
  if (scale?.smoothed)
    notes.push([
      "smoothed for display",
      "Means over about 1/28 of the side: this method has another value for each pixel",
    ]);
  return (
    <span class="legend-notes">
      {notes.map(([words, hint]) => (
        <span key={words} title={hint}>
          {words}
        </span>
      ))}
    </span>
  );
}
