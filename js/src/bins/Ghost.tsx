import type { JSX } from "preact";
import { useStore } from "../context";
import { Photo } from "../gallery/Photo";
import { count } from "../ui/format";
import { dropHint } from "./bins";
import { Prompt } from "./Prompt";
import { isText } from "./texts";

const BOX = { width: 84, height: 84 };

/** The dragged images at the pointer: a small stack, their number, and what a drop would do. */
export function Ghost({ root }: { root: HTMLElement }): JSX.Element | null {
  const drag = useStore().bins.drag.value;
  if (drag.phase !== "dragging") return null;
  // Relative to the root: a transformed ancestor in the host would displace `position: fixed`.
  const { left, top } = root.getBoundingClientRect();
  const refused = drag.over === "explicands" && drag.images.every(isText);
  const hint = refused ? "Texts cannot be explained" : dropHint(drag.region, drag.over);
  return (
    <div
      class="ghost"
      data-from={drag.region}
      data-over={drag.over ?? undefined}
      style={{ transform: `translate(${drag.at.x - left + root.scrollLeft}px, ${drag.at.y - top + root.scrollTop}px)` }}
      aria-hidden="true"
    >
      <div class="ghost-stack">
        {drag.images
          .slice(0, 3)
          .reverse()
          .map((image) => (
            <div class="ghost-card" key={image}>
              {isText(image) ? <Prompt id={image} /> : <Photo image={image} box={BOX} heatmap={false} />}
            </div>
          ))}
      </div>
      {drag.images.length > 1 && <span class="ghost-count">{count(drag.images.length)}</span>}
      {hint && <span class="ghost-hint">{hint}</span>}
    </div>
  );
}
