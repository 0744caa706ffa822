import type { Store } from "../store";
import { signed } from "../ui/format";
import type { Aim } from "./bins-state";

const MOST = 3;

/** Shows what a move would do while its button has the focus, and says it once; null shows the present bins again. */
export function aimAt(store: Store, aim: Aim | null): void {
  const { bins, explicands, ui } = store;
  bins.focusedMove.value = aim;
  if (!aim || !bins.supposed.peek()) return;
  const infos = bins.orders.explicands
    .peek()
    .ids.slice(0, MOST)
    .map((image) => explicands.heatmaps.info(image).peek());
  const scores = infos.filter((info) => info?.trial).map((info) => info && `${info.image} ${signed(info.score)}`);
  if (scores.length) ui.announce(`If moved, the scores are: ${scores.join(", ")}.`);
}
