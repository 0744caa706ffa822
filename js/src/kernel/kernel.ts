import type { ReadonlySignal } from "@preact/signals";
import type { Bin } from "../bins/bins";
import type {
  Catalogue,
  Curves,
  Failure,
  Heatmaps,
  Influence,
  Operation,
  Products,
  RequestBody,
  SearchResult,
  StabilityReport,
  Status,
  Steps,
  Texts,
  Thumbnails,
  Traits,
} from "./protocol";

/**
 * `closed`: the connection is certainly gone, and with it the widget's Python half. `silent`: no answer came, which may as
 * well mean that the kernel is running a long cell.
 */
export type KernelState = "live" | "silent" | "closed";

/** Everything that the menus set. */
export type Settings = Omit<Traits, Bin>;

/** The bins as this view shows them, and the settings. */
export type SettingSignals = { readonly [K in keyof Traits]: ReadonlySignal<Traits[K]> };

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

/** A message without an answer: what this view shows, that the user is dragging. */
export type Notice = RequestBody & { kind: "watch" | "hold" };

/** A message that the kernel sends to every view without being asked. */
export type Report = Heatmaps | Products | StabilityReport | Status | Failure;

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
  /** The steps of the bins' history that can be undone and redone. */
  readonly steps: ReadonlySignal<Steps>;
  /** Applies an operation to the bins on this page at once, and in the kernel when it is free; false if it changes nothing. */
  operate(operation: Operation): boolean;
  /** Changes settings in one step. */
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
