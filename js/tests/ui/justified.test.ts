import { describe, expect, test } from "vitest";
import { fitted, type JustifiedRows, scrolled } from "../../src/ui/justified";
import { navigate } from "../../src/ui/keyboard";

const CHROME = { gap: 10, caption: 40, narrowest: 0 };
const AREA = { width: 880, height: 400 };

const places = (rows: JustifiedRows) => Array.from({ length: rows.count }, (_, i) => rows.place(i));
const starts = (rows: JustifiedRows) => Array.from({ length: rows.rows }, (_, row) => rows.first(row));

/** A generator of numbers in 0..1, the same in every run. */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return state / 2 ** 31;
  };
}

describe("photographs that fit an area", () => {
  test("one is as large as the area allows", () => {
    const [wide] = places(fitted([2], AREA, CHROME, 100) as JustifiedRows);
    expect(wide).toEqual({ left: 80, top: 0, width: 720, height: 400, caption: 40 });
    const [wider] = places(fitted([2.5], AREA, CHROME, 100) as JustifiedRows);
    expect(wider).toEqual({ left: 0, top: 4, width: 880, height: 392, caption: 40 });
  });

  test("six fill two rows of equal height", () => {
    // Two rows of three: 860 / 5.4 = 159 high; the area has room for 155.
    const rows = fitted([1.8, 1.8, 1.8, 1.8, 1.8, 1.8], AREA, CHROME, 100) as JustifiedRows;
    expect(starts(rows)).toEqual([0, 3]);
    expect(places(rows).map(({ width, height }) => [width, height])).toEqual(Array(6).fill([279, 195]));
    expect(places(rows).map(({ top }) => top)).toEqual([0, 0, 0, 205, 205, 205]);
  });

  test("a row that has less room is lower, and the others take what it leaves", () => {
    // Rows of 3 and 2: the first is at most (880 − 20) / 6 = 143 high, which leaves 310 − 143 = 167 for the second.
    const rows = fitted([2, 2, 2, 2.5, 2.5], AREA, CHROME, 100) as JustifiedRows;
    expect(starts(rows)).toEqual([0, 3]);
    expect([rows.place(0).height, rows.place(3).height]).toEqual([143 + 40, 166 + 40]);
  });

  test("none is shown when they would be too small", () => {
    expect(fitted(Array(40).fill(1), AREA, CHROME, 108)).toBeNull();
    expect(fitted([1], { width: 880, height: 120 }, CHROME, 108)).toBeNull();
  });

  test("tiles lie in the area, in order, at their proportions, and do not overlap; 200 random sets", () => {
    const random = numbers(7);
    for (let round = 0; round < 200; round++) {
      const aspects = Array.from({ length: 1 + Math.floor(10 * random()) }, () => 0.4 + 2.2 * random());
      const area = { width: 300 + 1000 * random(), height: 200 + 600 * random() };
      const rows = fitted(aspects, area, CHROME, 40);
      if (!rows) continue;
      let [row, right] = [-1, 0];
      for (const [i, place] of places(rows).entries()) {
        if (rows.rowOf(i) !== row) [row, right] = [rows.rowOf(i), -CHROME.gap];
        expect(place.left).toBeGreaterThanOrEqual(right + CHROME.gap - 1);
        right = place.left + place.width;
        expect(right).toBeLessThanOrEqual(area.width + 1);
        expect(place.top).toBeGreaterThanOrEqual(0);
        expect(place.top + place.height).toBeLessThanOrEqual(area.height);
        expect(place.width / (place.height - CHROME.caption)).toBeCloseTo(aspects[i] as number, 1);
        expect(rows.at(place.top + 1)).toBe(row);
      }
      const heights = places(rows).map(({ height }) => height - CHROME.caption);
      expect(Math.max(...heights) / Math.min(...heights)).toBeLessThan(1.3 + 0.05);
    }
  });

  test("no other number of rows shows more; against every division into rows", () => {
    const random = numbers(3);
    for (let round = 0; round < 30; round++) {
      const aspects = Array.from({ length: 7 }, () => 0.7 + 1.3 * random());
      const covered = (heights: number[], ends: number[][]) =>
        heights.reduce((sum, height, i) => sum + height ** 2 * (ends[i] as number[]).reduce((a, b) => a + b, 0), 0);
      let best = 0;
      for (let cuts = 0; cuts < 2 ** 6; cuts++) {
        const parts: number[][] = [[]];
        for (const [i, aspect] of aspects.entries()) {
          parts.at(-1)?.push(aspect);
          if (i < 6 && cuts & (1 << i)) parts.push([]);
        }
        // The same height for all rows.
        const room = parts.map((part) => (AREA.width - 10 * (part.length - 1)) / part.reduce((a, b) => a + b, 0));
        const height = Math.min(...room, (AREA.height - 40 * parts.length - 10 * (parts.length - 1)) / parts.length);
        if (height >= 60) best = Math.max(best, covered(Array(parts.length).fill(height), parts));
      }
      const rows = fitted(aspects, AREA, CHROME, 60) as JustifiedRows;
      const own = places(rows).reduce((sum, { height }, i) => sum + (height - 40) ** 2 * (aspects[i] as number), 0);
      expect(own).toBeGreaterThan(0.97 * best); // whole pixels, and gaps that the division into rows leaves out
    }
  });

  test("a tile is as wide as a caption needs, where its row has room", () => {
    const rows = fitted([1, 1], AREA, { ...CHROME, narrowest: 400 }, 100) as JustifiedRows;
    expect(places(rows).map(({ left, width }) => [left, width])).toEqual([
      [18, 400],
      [463, 400],
    ]);
    const tight = fitted([1, 1], AREA, { ...CHROME, narrowest: 600 }, 100) as JustifiedRows;
    expect(places(tight).map(({ left, width }) => [left, width])).toEqual([
      [0, 435],
      [445, 435],
    ]);
  });
});

describe("more photographs than an area has room for", () => {
  const aspects = Array.from({ length: 40 }, (_, i) => [1.5, 1, 0.7, 1.3][i % 4] as number);
  const rows = scrolled(aspects, AREA, CHROME, 112);

  test("every row but the last fills the width", () => {
    for (let row = 0; row < rows.rows - 1; row++) {
      const [first, last] = [rows.place(rows.first(row)), rows.place(rows.first(row + 1) - 1)];
      expect(first.left).toBeLessThanOrEqual(3);
      expect(last.left + last.width).toBeGreaterThan(AREA.width - 8);
      expect(first.height - 40).toBeGreaterThanOrEqual(111);
      expect(first.height - 40).toBeLessThanOrEqual(1.3 * 112);
    }
    expect(rows.place(39).height).toBeLessThanOrEqual(112 + 40);
    // The last row begins at the left.
    expect(rows.place(rows.first(rows.rows - 1)).left).toBe(0);
    expect(rows.height).toBe(rows.place(39).top + rows.place(39).height);
  });

  test("a photograph moves none in the rows before it", () => {
    const more = scrolled([...aspects.slice(0, 20), 2.5, ...aspects.slice(21)], AREA, CHROME, 112);
    const before = rows.first(rows.rowOf(20));
    expect(places(more).slice(0, before)).toEqual(places(rows).slice(0, before));
  });

  test("one that is wider than the area is as wide as the area", () => {
    const [place] = places(scrolled([2.6], { width: 200, height: 80 }, CHROME, 112));
    expect(place).toEqual({ left: 0, top: 0, width: 197, height: 76 + 40, caption: 40 });
  });

  test("the keys go to the nearest tile above and below", () => {
    const go = (key: string, from: number) => navigate(key, from, rows.count, { rows, rowsPerPage: 2 });
    const middle = (i: number) => rows.place(i).left + rows.place(i).width / 2;
    const to = go("ArrowDown", 2) as number;
    expect(rows.rowOf(to)).toBe(1);
    for (let i = rows.first(1); i < rows.first(2); i++) {
      expect(Math.abs(middle(to) - middle(2))).toBeLessThanOrEqual(Math.abs(middle(i) - middle(2)));
    }
    expect([go("ArrowUp", 1), go("ArrowDown", 39), go("End", 0), go("ArrowRight", 0)]).toEqual([1, 39, 39, 1]);
  });

  test("without any there is no room taken", () => {
    const none = scrolled([], AREA, CHROME, 112);
    expect([none.count, none.rows, none.height, none.at(10), none.first(0)]).toEqual([0, 0, 0, 0, 0]);
  });
});
