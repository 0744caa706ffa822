import { type ReadonlySignal, useComputed } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";

interface ToolsProps {
  image: string;
  hovered: ReadonlySignal<string | null>;
  isTabStop: boolean;
  left: number;
  top: number;
  width: number;
  children: ComponentChildren;
}

/** The buttons of one tile, at its upper right corner while the pointer or the focus is on it. */
export function TileTools({ image, hovered, isTabStop, left, top, width, children }: ToolsProps): JSX.Element {
  const over = useComputed(() => hovered.value === image);
  return (
    <div
      class="tile-tools"
      role="group"
      aria-label={image}
      data-tools-of={image}
      data-over={over.value || undefined}
      data-tab-stop={isTabStop || undefined}
      style={{ transform: `translate(${left + width}px, ${top}px)` }}
    >
      <div class="tile-buttons">{children}</div>
    </div>
  );
}

/** The image of the tile whose buttons an event happened on. */
export function toolsOf(event: Event): string | undefined {
  return (event.target as Element).closest<HTMLElement>("[data-tools-of]")?.dataset.toolsOf;
}
