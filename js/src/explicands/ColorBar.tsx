import { useComputed } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { useStore } from "../context";
import { colormapNamed, TABLE_SIZE, ZERO } from "../engine/colormaps";
import { isSigned, LayerColours } from "../engine/layers";

/** The colours from one end of the scale to the other, with a mark at the value under the pointer. */
export function ColorBar({ layer }: { layer: string }): JSX.Element {
  const { settings, explicands } = useStore();
  const { heatmaps, probe } = explicands;
  const canvas = useRef<HTMLCanvasElement>(null);
  const signed = isSigned(layer);
  const first = signed ? 0 : ZERO;
  const width = TABLE_SIZE - first;
  useLayoutEffect(() => {
    const table = new LayerColours(colormapNamed(settings.colormap.value)).of(layer).slice(first);
    const row = new ImageData(new Uint8ClampedArray(table.buffer), width, 1);
    canvas.current?.getContext("2d")?.putImageData(row, 0, 0);
  }, [settings.colormap.value, layer]);
  const place = useComputed(() => {
    const at = probe.value;
    const limit = at ? heatmaps.limit(at.image) : 0;
    return at && limit > 0 ? Math.max(-1, Math.min(1, at.value / limit)) : null;
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
