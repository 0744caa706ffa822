import type { Size } from "../engine/geometry";
import type { Place, TileRows } from "./rows";

/** What tiles need beside their photographs, in CSS pixels. */
export interface Chrome {
  gap: number;
  /** The height under a photograph. */
  caption: number;
  /** The width that a tile has at least, where its row has room. */
  narrowest: number;
}

/** Rows are of about equal height: the highest photograph is at most this many times as high as the lowest. */
const MOST_UNEQUAL = 1.3;

/** The place of a photograph and of the caption under it. */
export interface PhotoPlace extends Place {
  caption: number;
}

/** A row of photographs: the place of its first one, its upper edge, and the height of each photograph. */
interface Row {
  first: number;
  top: number;
  height: number;
}

/** Rows of photographs, each at its own proportions. */
export class JustifiedRows implements TileRows<PhotoPlace> {
  readonly count: number;
  readonly rows: number;
  readonly height: number;
  readonly #rows: readonly Row[];
  readonly #places: readonly PhotoPlace[];

  /** The places of a grid whose rows begin at `starts` and have photographs of `heights`, in an area. */
  constructor(
    aspects: readonly number[],
    starts: readonly number[],
    heights: readonly number[],
    area: Size,
    readonly chrome: Chrome,
    /** What a last row does not fill is left over at its end, as in a text. */
    ragged = false,
  ) {
    const { gap, caption } = chrome;
    this.count = aspects.length;
    this.rows = starts.length;
    const full = heights.reduce((sum, height) => sum + height + caption + gap, -gap);
    const rows: Row[] = [];
    const places: PhotoPlace[] = [];
    // What is left of the area's height is shared above and below.
    let top = Math.max(0, Math.floor((area.height - full) / 2));
    for (const [i, first] of starts.entries()) {
      const height = heights[i] as number;
      rows.push({ first, top, height });
      const row = aspects.slice(first, starts[i + 1] ?? aspects.length);
      const width = ragged && i === starts.length - 1 ? 0 : area.width;
      places.push(...placesOf(row, height, width, chrome).map((place) => ({ ...place, top, caption })));
      top += height + caption + gap;
    }
    this.height = Math.max(0, top - gap);
    this.#rows = rows;
    this.#places = places;
  }

  top(row: number): number {
    return this.#rows[row]?.top ?? this.height + this.chrome.gap;
  }

  bottom(row: number): number {
    return this.top(row + 1);
  }

  at(y: number): number {
    return Math.max(
      0,
      lastWhere(this.#rows, ({ top }) => top <= y),
    );
  }

  rowOf(index: number): number {
    return Math.max(
      0,
      lastWhere(this.#rows, ({ first }) => first <= index),
    );
  }

  first(row: number): number {
    return this.#rows[row]?.first ?? this.count;
  }

  place(index: number): PhotoPlace {
    return this.#places[index] as PhotoPlace;
  }
}

/** The index of the last item of a list whose first items hold and whose others do not; −1 without any. */
function lastWhere<T>(items: readonly T[], holds: (item: T) => boolean): number {
  let [low, high] = [0, items.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (holds(items[middle] as T)) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The tiles of one row, with equal room left over around each of them. */
function placesOf(aspects: readonly number[], height: number, width: number, chrome: Chrome): Omit<Place, "top">[] {
  const { gap, caption, narrowest } = chrome;
  const photos = aspects.map((aspect) => aspect * height);
  let room = Math.max(0, width - gap * (aspects.length - 1) - sum(photos));
  const lacking = photos.map((photo) => Math.max(0, narrowest - photo));
  const part = Math.min(1, room / Math.max(1, sum(lacking)));
  const widths = photos.map((photo, i) => photo + part * (lacking[i] as number));
  room = Math.max(0, room - part * sum(lacking)) / aspects.length;
  let left = room / 2;
  return widths.map((wanted) => {
    const place = { left: Math.round(left), width: Math.floor(wanted), height: height + caption };
    left += wanted + room + gap;
    return place;
  });
}

/** The starts of at most `rows` rows in order, such that the longest row is as short as possible. */
function divide(aspects: readonly number[], rows: number): number[] {
  let [low, high] = [Math.max(...aspects), sum(aspects)];
  for (let i = 0; i < 40 && high - low > 1e-3 * high; i++) {
    const middle = (low + high) / 2;
    if (fill(aspects, middle).length <= rows) high = middle;
    else low = middle;
  }
  return fill(aspects, high);
}

/** The starts of rows, each filled up to a length. */
function fill(aspects: readonly number[], length: number): number[] {
  const starts: number[] = [];
  let used = Number.POSITIVE_INFINITY;
  for (const [i, aspect] of aspects.entries()) {
    if (used + aspect > length * (1 + 1e-9)) {
      starts.push(i);
      used = 0;
    }
    used += aspect;
  }
  return starts;
}

/** The largest height that a row has room for. */
function limits(aspects: readonly number[], starts: readonly number[], width: number, gap: number): number[] {
  return starts.map((first, i) => {
    const row = aspects.slice(first, starts[i + 1] ?? aspects.length);
    return (width - gap * (row.length - 1)) / sum(row);
  });
}

/** Heights that add up to `total` at most: equal, but for rows that have no room for it. */
function level(most: readonly number[], total: number): number[] {
  const order = [...most].sort((a, b) => a - b);
  let left = total;
  let height = order[0] as number;
  for (const [i, limit] of order.entries()) {
    height = Math.min(limit, left / (order.length - i));
    left -= height;
  }
  const highest = Math.min(height, MOST_UNEQUAL * Math.min(order[0] as number, height));
  return most.map((limit) => Math.floor(Math.min(limit, highest)));
}

/** Rows that show all photographs in an area, as large as possible; null where none would be `smallest` high. */
export function fitted(aspects: readonly number[], area: Size, chrome: Chrome, smallest: number): JustifiedRows | null {
  const { gap, caption } = chrome;
  const mostRows = Math.floor((area.height + gap) / (smallest + caption + gap));
  let best: { starts: number[]; heights: number[] } | null = null;
  let largest = 0;
  for (let rows = 1; rows <= Math.min(aspects.length, mostRows); rows++) {
    const starts = divide(aspects, rows);
    const total = area.height - starts.length * caption - (starts.length - 1) * gap;
    const heights = level(limits(aspects, starts, area.width, gap), total);
    if (Math.min(...heights) < smallest) continue;
    const covered = sum(
      starts.map((first, i) => sum(aspects.slice(first, starts[i + 1])) * (heights[i] as number) ** 2),
    );
    if (covered > largest) [best, largest] = [{ starts, heights }, covered];
  }
  return best && new JustifiedRows(aspects, best.starts, best.heights, area, chrome);
}

/** Rows of photographs about `height` high that fill the width, as many as it takes. A photograph moves none before it. */
export function scrolled(aspects: readonly number[], area: Size, chrome: Chrome, height: number): JustifiedRows {
  const starts = fill(aspects, area.width / (height + chrome.gap));
  const heights = limits(aspects, starts, area.width, chrome.gap).map((limit, row) => {
    // The last row may hold a single photograph, which is no larger than the others.
    const most = row < starts.length - 1 ? MOST_UNEQUAL * height : height;
    return Math.floor(Math.max(1, Math.min(limit, most)));
  });
  return new JustifiedRows(aspects, starts, heights, { ...area, height: 0 }, chrome, true);
}
