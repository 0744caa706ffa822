import type { Operation } from "../kernel/protocol";
import type { Store } from "../store";
import { signed } from "../ui/format";

/** By what the user aims at a control. */
export type AimedBy = "pointer" | "focus";

const MOST = 3;

/**
 * Shows what an operation would do while the user aims at its control, and says it once where that has the keyboard's
 * focus; null shows the present bins again.
 */
export function aimAt(store: Store, by: AimedBy, operation: Operation | null): void {
  const { bins, explicands, ui } = store;
  bins.aims[by].value = operation;
  if (!operation || by === "pointer" || !bins.supposed.peek()) return;
  const infos = bins.orders.explicands
    .peek()
    .ids.slice(0, MOST)
    .map((image) => explicands.heatmaps.info(image).peek());
  const scores = infos.filter((info) => info?.trial).map((info) => info && `${info.image} ${signed(info.score)}`);
  if (scores.length) ui.announce(`If done, the scores are: ${scores.join(", ")}.`);
}
