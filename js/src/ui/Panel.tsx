import { useComputed } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { dropHint, type Region } from "../bins/bins";
import { useStore } from "../context";

interface PanelProps {
  region: Region;
  title: string;
  count?: string;
  subtitle?: ComponentChildren;
  /** What belongs to the whole panel: a field for typing, a legend. */
  entry?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}

/** A titled part of the page that images are dragged from and dropped on. */
export function Panel({ region, title, count, subtitle, entry, actions, children }: PanelProps): JSX.Element {
  return (
    <div class="panel" role="group" data-bin={region} aria-label={title}>
      <div class="panel-head">
        <h3>{title}</h3>
        {count !== undefined && <span class="count">{count}</span>}
        {subtitle}
        <span class="spacer" />
        {entry}
        {actions}
      </div>
      {children}
      <DropMark region={region} />
    </div>
  );
}

/** Marks a possible target of a drag. An element of its own: an attribute of the panel would restyle all of its tiles. */
function DropMark({ region }: { region: Region }): JSX.Element {
  const { drag } = useStore().bins;
  const drop = useComputed(() => {
    const now = drag.value;
    if (now.phase !== "dragging" || dropHint(now.region, region, now.images) === null) return undefined;
    return now.over === region ? "over" : "possible";
  });
  return <div class="drop-mark" data-drop={drop} />;
}
