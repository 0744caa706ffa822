import type { ReadonlySignal } from "@preact/signals";
import type {
  Catalogue,
  Curves,
  Failure,
  Heatmaps,
  History,
  Influence,
  Products,
  RequestBody,
  SearchResult,
  StabilityReport,
  Status,
  Texts,
  Thumbnails,
  Traits,
} from "./protocol";

/**
 * `closed`: the connection is certainly gone, and with it the widget's Python half. `silent`: no answer came, which may as
 * well mean that the kernel is running a long cell.
 */
export type KernelState = "live" | "silent" | "closed";

/** The bins, and everything that the menus set. */
export type Settings = Traits;

export type SettingSignals = { readonly [K in keyof Settings]: ReadonlySignal<Settings[K]> };

/** The answer to each kind of question. */
export interface Answers {
  hello: Catalogue;
  thumbnails: Thumbnails;
  influence: Influence;
  curves: Curves;
  add_texts: Texts;
  search: SearchResult;
}

export type Question = RequestBody & { kind: keyof Answers };

/** A message without an answer: what this view shows, that the user is dragging, undo and redo. */
export type Notice = RequestBody & { kind: "watch" | "hold" | "undo" | "redo" };

/** A message that the kernel sends to every view without being asked. */
export type Report = Heatmaps | Products | StabilityReport | Status | History | Failure;

export interface AskOptions<A> {
  signal?: AbortSignal;
  /** Called with each part of the answer: thumbnails come in several, curves with their progress first. */
  onPart?: (part: A, buffers: DataView[]) => void;
  /** Called when the answer is late. */
  onLate?: () => void;
}

/** The other side of the page, which answers its questions: a Jupyter kernel, or anything else that has the images. */
export interface Kernel {
  readonly state: ReadonlySignal<KernelState>;
  readonly settings: SettingSignals;
  /** Changes settings in one step, which can be undone in one. */
  change(settings: Partial<Settings>): void;
  /** Changes settings on the page at once, and in the kernel when they have rested. */
  changeSoon(settings: Partial<Settings>): void;
  /** Resolves with the last part of the answer; rejects when there is an error, no kernel, or `signal` aborts. */
  ask<Q extends Question>(question: Q, options?: AskOptions<Answers[Q["kind"]]>): Promise<Answers[Q["kind"]]>;
  tell(notice: Notice): void;
  /** Sets the function that receives the reports. */
  listen(onReport: (report: Report, buffers: DataView[]) => void): void;
  /** Ends the conversation; questions that are still open are rejected. */
  close(): void;
}
