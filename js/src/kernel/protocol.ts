/** The messages between kernel and page; must be kept in sync with `cocoa_widget/host/protocol/`, which explains them. */

import type { AnyModel } from "@anywidget/types";

export const REQUEST_KINDS = [
  "hello",
  "thumbnails",
  "watch",
  "hold",
  "leave",
  "cancel",
  "operation",
  "bins",
  "influence",
  "curves",
  "add_texts",
  "search",
  "ping",
  "base64",
] as const;
export const RESPONSE_KINDS = [
  "catalogue",
  "thumbnails",
  "heatmaps",
  "products",
  "stability",
  "influence",
  "curves",
  "status",
  "error",
  "texts",
  "search",
  "pong",
] as const;

// ---- page → kernel (each also carries `id` and `view`, added by the connection) ----

export type RequestBody =
  | { kind: "hello" }
  | { kind: "thumbnails"; images: string[]; size: number }
  | {
      kind: "watch";
      explicands: number;
      gallery: number;
      visible: string[];
      seen: string[];
      cells_of: string | null;
      renew: boolean;
    }
  | { kind: "hold" | "leave" | "bins" | "ping" | "base64" }
  | { kind: "operation"; number: number; operation: Operation }
  | { kind: "cancel"; cancels: string }
  | { kind: "influence" | "curves"; image: string }
  | { kind: "add_texts"; bin: "corpus" | "foil"; texts: string[]; list: string | null }
  | { kind: "search"; text: string };

/** What the user does to the bins (`cocoa_widget/sessions/operations.py`). */
export type Operation = Change | { kind: "undo" | "redo"; step: string };

export type Change =
  | { kind: "move"; ids: string[]; origin: Place; to: Place }
  | { kind: "clear"; bin: "corpus" | "foil" | "explicands" }
  | { kind: "swap" }
  | { kind: "set"; corpus: string[]; foil: string[]; explicands: string[] };

type Place = "corpus" | "foil" | "explicands" | "gallery";

export type Request = RequestBody & { id: string; view: string };

// ---- kernel → page ----

export interface Choice {
  name: string;
  label: string;
  hint: string;
  unavailable?: string;
}

export interface TextList {
  name: string;
  label: string;
  count: number;
}

export interface TextInfo {
  available: boolean;
  reason: string | null;
  note: string;
  context: number | null;
  templates: Choice[];
  lists: TextList[];
}

export interface Catalogue {
  id: string;
  kind: "catalogue";
  model: string;
  images: string[];
  labels: (string | null)[];
  captions: (string | null)[];
  skipped: { image: string; reason: string }[];
  encoder: { name: string; device: string; precision: string; input: [number, number] };
  methods: Choice[];
  targets: Choice[];
  similarities: Choice[];
  baselines: Choice[];
  layers: Choice[];
  text: TextInfo;
}

/** Left, top, right, bottom in fractions of the photograph. */
export type Frame = [number, number, number, number];

export interface Thumbnail {
  image: string;
  width: number;
  height: number;
  frame: Frame;
  type: string;
  error?: string;
}

export interface Thumbnails {
  id: string;
  kind: "thumbnails";
  items: Thumbnail[];
  last: boolean;
}

export interface Heatmap {
  image: string;
  method: string;
  layer: string;
  preview: boolean;
  shape: [number, number];
  peak: number;
  score: number;
  progress: number;
  gap?: number;
  pixelwise?: boolean;
}

export interface Heatmaps {
  kind: "heatmaps";
  version: number;
  space: number;
  items: Heatmap[];
  failed: string[];
  waiting: string[];
  nothing?: string;
}

export interface Product {
  image: string;
  method: string;
  preview: boolean;
  progress: number;
  replaces: boolean;
}

export type Term = { kind: "separable"; cells: [number, number] } | { kind: "sparse"; k: number; entries: number };

export interface Spread {
  size: [number, number];
  terms: Term[];
  filter: { radius: number; epsilon: number } | null;
}

export interface Products {
  kind: "products";
  space: number;
  settings: { method: string; baseline: string; similarity: string; template: string; centred: boolean };
  members: string[];
  spread: Spread | null;
  items: Product[];
  dropped: string[];
}

export interface ImageStability {
  image: string;
  low: number | null;
  high: number | null;
  correlation: number | null;
}

export interface StabilityReport {
  kind: "stability";
  version: number;
  items: ImageStability[];
  smallest: number;
  few: boolean;
}

export interface Member {
  image: string;
  bin: "corpus" | "foil";
  share: number;
  change: number | null;
  outlier: boolean;
}

export interface Influence {
  id: string;
  kind: "influence";
  image: string;
  score: number;
  members: Member[];
}

export interface Curve {
  measure: string;
  label: string;
  insertion: number[];
  deletion: number[];
  insertion_auc: number;
  deletion_auc: number;
}

export interface Curves {
  id: string;
  kind: "curves";
  image: string;
  done: number;
  total: number;
  fractions: number[];
  curves: Curve[];
}

export interface Texts {
  id: string;
  kind: "texts";
  added: number;
  skipped: { text: string; reason: string }[];
  cut: string[];
}

export interface SearchResult {
  id: string;
  kind: "search";
  images: string[];
  scores: number[];
  compared: number;
  total: number;
}

export interface Task {
  label: string;
  done: number;
  total: number;
}

export interface Status {
  kind: "status";
  device: string;
  task: Task | null;
  ready: number;
  explicands: number;
  memory: number;
  budget: number;
  alike: number | null;
}

export interface Pong {
  id: string;
  kind: "pong";
  known: boolean;
}

export interface Failure {
  kind: "error";
  message: string;
  id?: string;
}

export type Response =
  | Catalogue
  | Thumbnails
  | Heatmaps
  | Products
  | StabilityReport
  | Influence
  | Curves
  | Status
  | Failure
  | Texts
  | SearchResult
  | Pong;

/** The traits that page and kernel share (`CocoaWidget` in `cocoa_widget/widget.py`). */
export interface Traits {
  corpus: string[];
  foil: string[];
  explicands: string[];
  method: string;
  target: string;
  similarity: string;
  baseline: string;
  layer: string;
  template: string;
  centred: boolean;
  colormap: string;
  opacity: number;
  scale: "shared" | "image";
  look: "tint" | "contours" | "spotlight";
  spotlight: number;
  gallery_heatmaps: boolean;
  height: number;
  name: string;
  restore: boolean;
}

/** A change of one bin: ids with their positions before and after. */
export interface Edit {
  removed: [number, string][];
  added: [number, string][];
}

export interface Edits {
  corpus?: Edit;
  foil?: Edit;
  explicands?: Edit;
}

/** A change of the bins; without edits where they are too long to be sent. */
export interface Step {
  id: string;
  label: string;
  edits: Edits | null;
}

/** The steps that can be taken back and made again, the next one last in each list. */
export interface Steps {
  undo: Step[];
  redo: Step[];
}

/** Traits that come together with the bins, and that only the kernel sets. */
export interface KernelTraits {
  /** The number of the last operation of each view that the bins contain. */
  _applied: Record<string, number>;
  _steps: Steps;
}

/** The model as anywidget hands it to the page. */
export type Model = AnyModel<Traits & KernelTraits>;
