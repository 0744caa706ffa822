import { useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { enlarge } from "../bins/actions";
import type { Region } from "../bins/bins";
import { useStore } from "../context";
import type { Size } from "../engine/geometry";
import { clickMode, FOCUSABLE } from "./keyboard";
import { observeSize } from "./observe-size";
import type { Order } from "./order";
import type { Place, TileRows } from "./rows";
import { NOTHING_SELECTED, select } from "./selection";
import { Tile } from "./Tile";
import { TileTools, toolsOf } from "./TileTools";

interface TileGridProps<P extends Place> {
  region: Region;
  order: Order;
  label: string;
  /** The places of the tiles in a given area. */
  layOut: (area: Size) => TileRows<P>;
  renderTile: (image: string, place: P) => ComponentChildren;
  /** Buttons over a tile. They are outside of the list, whose options must not contain buttons; keys do the same. */
  tools?: (image: string) => ComponentChildren;
  /** The keys that do the same as these buttons, as `aria-keyshortcuts` names them. */
  shortcuts?: string;
  describe: (image: string) => string;
  /** Called with the tiles on screen, and the largest width and height of their places. */
  onShown?: (ids: readonly string[], largest: Size) => void;
  /** A click enlarges a tile instead of selecting it. */
  clickEnlarges?: boolean;
  empty: ComponentChildren;
}

const PADDING = 8;

/** A listbox whose tiles exist only while they are near the visible part, so that 100,000 images cost no more than 100. */
export function TileGrid<P extends Place>(props: TileGridProps<P>): JSX.Element {
  const { region, order, label, renderTile, describe, onShown } = props;
  const { ids } = order;
  const store = useStore();
  const { tiles } = store;
  const box = useRef<HTMLDivElement>(null);
  const area = useSignal<Size>({ width: 0, height: 0 });
  const firstRow = useSignal(0);
  const hovered = useSignal<string | null>(null);

  useLayoutEffect(() => observeSize(box.current, area), []);

  const inner = { width: area.value.width - 2 * PADDING, height: area.value.height - 2 * PADDING };
  const measured = inner.width > 0 && inner.height > 0;
  const rows = props.layOut(inner);
  // The list may have shrunk under the scroll position.
  const first = Math.max(0, Math.min(firstRow.value, rows.at(rows.height - area.value.height)));
  const last = Math.min(rows.rows, rows.at(rows.bottom(first) + area.value.height) + 1);
  const start = rows.first(Math.max(0, first - 1));
  const end = rows.first(Math.min(rows.rows, last + 1));
  const rowsPerPage = Math.max(1, rows.at(rows.top(first) + inner.height) - first);
  useLayoutEffect(() => {
    tiles.shapes.set(region, { rows, rowsPerPage });
  });

  const readScroll = () => {
    if (box.current) firstRow.value = rows.at(box.current.scrollTop - PADDING);
  };
  useLayoutEffect(readScroll, [rows.height]);

  const shown = measured ? ids.slice(rows.first(first), rows.first(last)) : [];
  const shownKey = shown.join("\n");
  let [width, height] = [0, 0];
  for (let i = rows.first(first); i < rows.first(first) + shown.length; i++) {
    const place = rows.place(i);
    [width, height] = [Math.max(width, place.width), Math.max(height, place.height)];
  }
  useEffect(() => onShown?.(shown, { width, height }), [shownKey, width, height]);

  const focused = tiles.focused[region].value;
  const tabStop = focused === null ? 0 : Math.max(order.indexOf(focused), 0);
  useFocus(region, box, rows, tabStop);

  const indices = measured ? Array.from({ length: end - start }, (_, i) => start + i) : [];
  // A focused tile that is scrolled away stays mounted; otherwise the page would lose the focus.
  if (measured && ids.length && (tabStop < start || tabStop >= end)) indices.push(tabStop);

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: clicks bubble up from the tiles, whose keys do the same
    <div
      ref={box}
      class="tiles"
      role="presentation"
      onScroll={readScroll}
      onClick={(event) => clicked(event, props, store)}
      onDblClick={(event) => {
        const image = tileOf(event);
        if (image) enlarge(store, image, region);
      }}
      onFocusIn={(event) => {
        const image = tileOf(event);
        if (image) tiles.focused[region].value = image;
      }}
      onPointerOver={(event) => {
        hovered.value = tileOf(event) ?? toolsOf(event) ?? null;
      }}
      onPointerLeave={() => {
        hovered.value = null;
      }}
    >
      {ids.length === 0 && <div class="empty">{props.empty}</div>}
      <div
        class="tiles-all"
        role="listbox"
        aria-multiselectable="true"
        aria-label={label}
        tabIndex={ids.length ? -1 : 0}
        style={{ height: `${rows.height}px` }}
        {...FOCUSABLE}
      >
        {indices.map((index) => {
          const image = ids[index] as string;
          const place = rows.place(index);
          return (
            <Tile
              key={image}
              {...{ image, region, index, ...place }}
              count={ids.length}
              focusable={index === tabStop}
              describe={describe}
              shortcuts={props.shortcuts}
            >
              {renderTile(image, place)}
            </Tile>
          );
        })}
      </div>
      {props.tools && (
        <div class="tools-all">
          {indices.map((index) => {
            const image = ids[index] as string;
            return (
              <TileTools key={image} {...{ image, hovered, ...rows.place(index) }} isTabStop={index === tabStop}>
                {props.tools?.(image)}
              </TileTools>
            );
          })}
        </div>
      )}
    </div>
  );
}

function tileOf(event: Event): string | undefined {
  return (event.target as Element).closest<HTMLElement>("[data-image-id]")?.dataset.imageId;
}

function clicked(
  event: MouseEvent,
  { region, clickEnlarges }: Pick<TileGridProps<Place>, "region" | "clickEnlarges">,
  store: ReturnType<typeof useStore>,
): void {
  if ((event.target as Element).closest("button")) return;
  const image = tileOf(event);
  const { tiles } = store;
  if (!image) return tiles.clearSelection();
  const mode = clickMode(event);
  tiles.focused[region].value = image;
  if (clickEnlarges && !event.shiftKey && !event.ctrlKey && !event.metaKey) return enlarge(store, image, region);
  const { selection } = tiles;
  const only = selection.peek().region === region && selection.peek().ids.size === 1 && selection.peek().ids.has(image);
  // A second click on the only selected tile deselects it.
  selection.value =
    mode === "replace" && only
      ? { ...NOTHING_SELECTED, region, anchor: image }
      : select(selection.peek(), region, store.order(region), image, mode);
}

/** Moves the focus to this region's tab stop when asked to, scrolling it into view first. */
function useFocus(region: Region, box: { current: HTMLElement | null }, rows: TileRows, index: number): void {
  const { focusIntent } = useStore().tiles;
  const wanted = focusIntent.value === region;
  useLayoutEffect(() => {
    const element = box.current;
    if (!wanted || !element) return;
    focusIntent.value = null;
    const row = rows.rowOf(index);
    const [top, bottom] = [PADDING + rows.top(row), PADDING + rows.bottom(row)];
    if (top < element.scrollTop + PADDING) element.scrollTop = top - PADDING;
    else if (bottom > element.scrollTop + element.clientHeight) element.scrollTop = bottom - element.clientHeight;
    const target = element.querySelector<HTMLElement>("[role=option][tabindex='0'], [role=listbox][tabindex='0']");
    target?.focus({ preventScroll: true });
  });
}
