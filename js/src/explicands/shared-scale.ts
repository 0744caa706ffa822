import { type ReadonlySignal, signal } from "@preact/signals";
import { groupOf, type HeatmapInfo, type Painted } from "./heatmap";

/** The colour bar's range. */
export interface Scale {
  layer: string;
  /** What the end colours stand for. */
  limit: number;
  /** The largest magnitude, which may be beyond. */
  largest: number;
  /** More than one: previews beside finished heatmaps, whose values do not compare. */
  groups: number;
  /** Whether heatmaps are smoothed for display. */
  smoothed: boolean;
}

/** How an update concerns a scale: see `SharedScale.follow`. */
export interface Course {
  held: boolean;
  sharpening: boolean;
  grows?: boolean;
}

/** What the scale takes from a heatmap. */
type Measured = Pick<Painted, "info" | "reach" | "largest">;

const EASE_MS = 200;
/** While heatmaps sharpen, the scale stays as long as the largest reach, as a part of it, is within these. */
const [LEAST, MOST] = [0.6, 1.25];

/**
 * The values that the end colours stand for, for each group of heatmaps that compare: the largest of their reaches. So
 * that colours do not jump, a scale in use stays still or moves to its new value over a moment.
 */
export class SharedScale {
  readonly #shown = signal<Scale | null>(null);
  readonly #settled = signal(true);
  /** What the end colours stand for now, and what they will when they have settled. */
  #limits = new Map<string, number>();
  #goals = new Map<string, number>();
  /** The largest magnitude of each group. */
  #largest = new Map<string, number>();
  #main: HeatmapInfo | null = null;
  #frame = 0;
  readonly #onMove: () => void;

  /** @param onMove called whenever the limits have moved by themselves */
  constructor(onMove: () => void) {
    this.#onMove = onMove;
  }

  get shown(): ReadonlySignal<Scale | null> {
    return this.#shown;
  }

  /** Whether no scale is moving. */
  get settled(): ReadonlySignal<boolean> {
    return this.#settled;
  }

  limit(group: string): number {
    return this.#limits.get(group) ?? 0;
  }

  /**
   * Takes up the heatmaps of the moment. `held`: no scale moves. `sharpening`: they answer the same question as before.
   * `grows`: a scale follows larger values, at once, and no smaller ones.
   * Returns whether limits have changed; those that move by themselves will later.
   */
  follow(heatmaps: Iterable<Measured>, { held, sharpening, grows }: Course): boolean {
    const reaches = new Map<string, number>();
    this.#largest = new Map();
    const unfinished = new Set<string>();
    this.#main = null;
    for (const { info, reach, largest } of heatmaps) {
      if (info.stale) continue;
      const group = groupOf(info);
      reaches.set(group, Math.max(reaches.get(group) ?? 0, reach));
      this.#largest.set(group, Math.max(this.#largest.get(group) ?? 0, largest));
      if (info.progress < 1) unfinished.add(group);
      if (!this.#main || (this.#main.preview && !info.preview)) this.#main = info;
    }
    const before = this.#limits;
    this.#limits = new Map();
    const goals = new Map<string, number>();
    let moves = false;
    for (const [group, reach] of reaches) {
      const limit = before.get(group) || reach;
      const part = reach / limit;
      const settled = sharpening && unfinished.has(group) && part >= LEAST && part <= MOST;
      const stays = held || settled || (grows && part <= 1);
      const goal = stays ? limit : reach;
      this.#limits.set(group, limit);
      goals.set(group, goal);
      moves ||= goal !== limit;
    }
    const same =
      goals.size === this.#goals.size && [...goals].every(([group, goal]) => this.#goals.get(group) === goal);
    this.#goals = goals;
    if (!moves || grows || isStill()) this.#settle();
    else if (!same || !this.#frame) this.#ease();
    this.#show();
    return [...this.#limits].some(([group, limit]) => before.get(group) !== limit);
  }

  #show(): void {
    const group = this.#main && groupOf(this.#main);
    const next = this.#main &&
      group !== null && {
        layer: this.#main.layer,
        limit: this.limit(group),
        largest: this.#largest.get(group) ?? 0,
        groups: this.#limits.size,
        smoothed: this.#main.pixelwise === true,
      };
    const now = this.#shown.peek();
    if (next && now && (Object.keys(next) as (keyof Scale)[]).every((name) => next[name] === now[name])) return;
    this.#shown.value = next || null;
  }

  #settle(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
    for (const [group, goal] of this.#goals) this.#limits.set(group, goal);
    this.#settled.value = true;
  }

  #ease(): void {
    cancelAnimationFrame(this.#frame);
    this.#settled.value = false;
    const from = new Map(this.#limits);
    let start: number | null = null;
    const step = (now: number) => {
      start ??= now;
      const time = (now - start) / EASE_MS;
      if (time >= 1) this.#settle();
      else {
        const part = 1 - (1 - time) ** 3;
        for (const [group, goal] of this.#goals) {
          const first = from.get(group) ?? goal;
          this.#limits.set(group, first + part * (goal - first));
        }
        this.#frame = requestAnimationFrame(step);
      }
      this.#show();
      this.#onMove();
    };
    this.#frame = requestAnimationFrame(step);
  }

  dispose(): void {
    cancelAnimationFrame(this.#frame);
  }
}

/** Whether changes skip their transition: the user prefers reduced motion, or the page is hidden and has no frames. */
const isStill = (): boolean => document.hidden || matchMedia("(prefers-reduced-motion: reduce)").matches;
