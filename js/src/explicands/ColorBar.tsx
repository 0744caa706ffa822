import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useStore } from "../context";
import { colormapNamed, TABLE_SIZE, ZERO } from "../engine/colormaps";
import { isSigned } from "../engine/layers";
import { LayerColours, LEVELS, type Look } from "../engine/looks";

/** The width of the thick line of contours, as a part of the scale. */
const LINE = 0.05;

/** The colours, or the lines, from one end of the scale to the other, with a mark at the value under the pointer. */
export function ColorBar({ layer, look }: { layer: string; look: Look }): JSX.Element {
  const { settings, explicands } = useStore();
  const { heatmaps, probe } = explicands;
  const canvas = useRef<HTMLCanvasElement>(null);
  const signed = isSigned(layer);
  const first = signed ? 0 : ZERO;
  const width = TABLE_SIZE - first;
  useLayoutEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context) return;
    const colours = new LayerColours(colormapNamed(settings.colormap.value));
    context.clearRect(0, 0, width, 1);
    if (look === "tint") {
      const table = colours.of(layer).slice(first);
      context.putImageData(new ImageData(new Uint8ClampedArray(table.buffer), width, 1), 0, 0);
      return;
    }
    for (const sign of signed ? ([1, -1] as const) : ([1] as const)) {
      context.fillStyle = colours.line(layer, sign);
      for (const [i, level] of LEVELS.entries()) {
        const thick = (LINE * (i + 1) * ZERO) / LEVELS.length;
        context.fillRect(ZERO - first + sign * level * ZERO - thick / 2, 0, thick, 1);
      }
    }
  }, [settings.colormap.value, layer, look]);
  const place = useComputed(() => {
    const at = probe.value;
    const limit = at ? heatmaps.limit(at.image) : 0;
    return at && limit > 0 ? Math.max(-1, Math.min(1, at.display / limit)) : null;
  });
  const marker = place.value === null ? null : signed ? 50 + 50 * place.value : 100 * Math.max(0, place.value);
  return (
    <div class="color-bar">
      <canvas
        ref={canvas}
        width={width}
        height={1}
        role="img"
        aria-label={signed ? "Colours from negative to positive" : "Colours from zero to the largest value"}
      />
      {marker !== null && <i class="marker" style={{ left: `${marker}%` }} />}
    </div>
  );
}
