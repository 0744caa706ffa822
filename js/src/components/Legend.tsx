import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { colormapNamed, colorTable, TABLE_SIZE } from "../colormaps";
import { useStore } from "../context";
import { signed } from "../format";

const ENDS: Record<string, [string, string]> = {
  contrastive_corpus: ["foil", "corpus"],
  corpus: ["unlike corpus", "like corpus"],
  label_free: ["unlike itself", "like itself"],
  contrastive_label_free: ["foil", "itself"],
};

/** The colour bar with its numbers: what a colour means, and whether it means the same on every image. */
export function Legend(): JSX.Element {
  const { heatmaps, t } = useStore();
  const scale = heatmaps.scale.value;
  const shared = t.scale.value === "shared";
  const [negative, positive] = ENDS[t.target.value] ?? ["against", "for"];
  const peak = scale && shared ? scale.peak : null;
  return (
    <div class="legend" data-quiet={scale === null || undefined} role="group" aria-label="Legend">
      <span class="legend-end legend-negative">{negative}</span>
      <div class="legend-scale">
        <ColorBar />
        <div class="legend-numbers">
          <span>{peak === null ? "−peak" : signed(-peak)}</span>
          <span>0</span>
          <span>{peak === null ? "+peak" : signed(peak)}</span>
        </div>
      </div>
      <span class="legend-end legend-positive">{positive}</span>
      <span class="legend-note">
        {shared ? "shared scale" : "each image its own scale"}
        {shared && scale && scale.groups > 1 && " (previews: their own)"}
      </span>
    </div>
  );
}

function ColorBar(): JSX.Element {
  const { t, heatmaps, probe } = useStore();
  const canvas = useRef<HTMLCanvasElement>(null);
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    const row = new Uint8ClampedArray(colorTable(colormapNamed(t.colormap.value)).buffer);
    context?.putImageData(new ImageData(row, TABLE_SIZE, 1), 0, 0);
  }, [t.colormap.value]);
  const marker = useComputed(() => {
    const at = probe.value;
    const limit = at ? heatmaps.limit(at.image) : 0;
    return at && limit > 0 ? `${50 + 50 * Math.max(-1, Math.min(1, at.value / limit))}%` : null;
  });
  return (
    <div class="color-bar">
      <canvas ref={canvas} width={TABLE_SIZE} height={1} role="img" aria-label="Colours from negative to positive" />
      {marker.value !== null && <i class="marker" style={{ left: marker.value }} />}
    </div>
  );
}
