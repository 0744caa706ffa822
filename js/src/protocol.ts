/** The messages between kernel and page; must be kept in sync with `cocoa_widget/protocol.py`, which explains them. */

export const REQUEST_KINDS = ["hello", "thumbnails", "watch", "hold", "leave", "cancel", "undo", "redo"] as const;
export const RESPONSE_KINDS = ["catalogue", "thumbnails", "heatmaps", "status", "history", "error"] as const;

// ---- page → kernel (each also carries `id` and `view`, added by the connection) ----

export type RequestBody =
  | { kind: "hello" }
  | { kind: "thumbnails"; images: string[]; size: number }
  | { kind: "watch"; explicands: number; gallery: number; visible: string[] }
  | { kind: "hold" | "leave" | "undo" | "redo" }
  | { kind: "cancel"; cancels: string };

export type Request = RequestBody & { id: string; view: string };

// ---- kernel → page ----

export interface Choice {
  name: string;
  label: string;
  hint: string;
  unavailable?: string;
}

export interface Catalogue {
  id: string;
  kind: "catalogue";
  images: string[];
  labels: (string | null)[];
  captions: (string | null)[];
  skipped: { image: string; reason: string }[];
  encoder: { name: string; device: string; precision: string; input: [number, number] };
  methods: Choice[];
  targets: Choice[];
  similarities: Choice[];
}

/** Left, top, right, bottom in fractions of the picture. */
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
  preview: boolean;
  shape: [number, number];
  peak: number;
  score: number;
  progress: number;
  gap?: number;
}

export interface Heatmaps {
  kind: "heatmaps";
  version: number;
  items: Heatmap[];
  nothing?: string;
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
}

export interface History {
  kind: "history";
  undo: string | null;
  redo: string | null;
}

export interface Failure {
  kind: "error";
  message: string;
  id?: string;
}

export type Response = Catalogue | Thumbnails | Heatmaps | Status | History | Failure;

/** The traits that page and kernel share (`CocoaWidget` in `cocoa_widget/widget.py`). */
export interface Traits {
  corpus: string[];
  foil: string[];
  explicands: string[];
  method: string;
  target: string;
  similarity: string;
  colormap: string;
  opacity: number;
  scale: "shared" | "image";
  gallery_heatmaps: boolean;
  height: number;
}
