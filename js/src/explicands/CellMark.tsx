import type { JSX } from "preact";
import { useStore } from "../context";
import { cellAt } from "../engine/cells";
import type { Rect } from "../engine/geometry";
import { placed } from "../ui/boxes";

/** The outline of the cell at which the user points. */
export function CellMark({ image, frame }: { image: string; frame: Rect }): JSX.Element | null {
  const { pointing } = useStore().explicands;
  const [place, grid] = [pointing.place.value, pointing.grid.value];
  if (!grid || place?.image !== image) return null;
  const { row, column } = cellAt(grid, place);
  const [width, height] = [frame.width / grid.columns, frame.height / grid.rows];
  const cell = { left: frame.left + column * width, top: frame.top + row * height, width, height };
  return <div class="cell-mark" data-cell={`${row},${column}`} style={placed(cell)} aria-hidden="true" />;
}
