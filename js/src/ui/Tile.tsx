import { useComputed } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import type { Region } from "../bins/bins";
import { isText } from "../bins/texts";
import { useStore } from "../context";
import { sized } from "./boxes";
import { FOCUSABLE } from "./keyboard";

export interface TileProps {
  image: string;
  region: Region;
  index: number;
  count: number;
  left: number;
  top: number;
  width: number;
  height: number;
  focusable: boolean;
  describe: (image: string) => string;
  shortcuts?: string | undefined;
  children: ComponentChildren;
}

const isMemberOf = (region: Region) => region === "corpus" || region === "foil";

/** An option of a region's listbox, at its place in the grid. Clicks and keys are handled by the grid and the root. */
export function Tile(props: TileProps): JSX.Element {
  const { image, region, index, count, left, top, width, height, focusable, describe, shortcuts, children } = props;
  const { tiles, bins, explicands } = useStore();
  const { selection } = tiles;
  const selected = useComputed(() => selection.value.region === region && selection.value.ids.has(image));
  // Bound to the attribute as a signal: a new score or bin does not render the tile again.
  const words = useComputed(() => describe(image));
  const lifted = useComputed(() => {
    const now = bins.drag.value;
    if (now.phase !== "dragging" || now.region !== region) return false;
    // Several dragged tiles are always the selection; searching 100,000 of them at every move would be slow.
    return now.images.length === 1 ? now.images[0] === image : selected.value;
  });
  const waiting = useComputed(() => isMemberOf(region) && explicands.waiting.value.includes(image));
  return (
    <div
      role="option"
      class="tile"
      data-image-id={image}
      data-text={isText(image) || undefined}
      data-lifted={lifted.value || undefined}
      data-waiting={waiting.value || undefined}
      tabIndex={focusable ? 0 : -1}
      aria-selected={selected.value}
      aria-posinset={index + 1}
      aria-setsize={count}
      aria-label={words}
      aria-keyshortcuts={shortcuts}
      title={region === "explicands" ? undefined : words}
      style={{ transform: `translate(${left}px, ${top}px)`, ...sized({ width, height }) }}
      {...FOCUSABLE}
    >
      {children}
    </div>
  );
}
