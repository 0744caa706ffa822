import type { AskOptions, Report } from "./kernel";
import { type Liveness, NO_KERNEL } from "./liveness";
import { type Model, RESPONSE_KINDS, type RequestBody, type Response } from "./protocol";

interface Pending {
  receive(message: Response, buffers: DataView[]): void;
  fail(error: Error): void;
}

interface RequestOptions<A extends Response> extends AskOptions<A> {
  /** Send the same message again after this many milliseconds without an answer: a busy kernel may have missed it. */
  resend?: number;
}

function randomName(): string {
  // crypto.randomUUID needs a secure context, which a hub on plain http is not.
  return Array.from(crypto.getRandomValues(new Uint32Array(2)), (n) => n.toString(36)).join("");
}

function isResponse(message: unknown): message is Response {
  const kind = (message as { kind?: unknown } | null)?.kind;
  return RESPONSE_KINDS.some((known) => known === kind);
}

/** Whether a buffer has the bytes 0 … 255, as the catalogue's. */
function isCounting(buffer: DataView | undefined): boolean {
  if (buffer?.byteLength !== 256) return false;
  for (let i = 0; i < 256; i++) if (buffer.getUint8(i) !== i) return false;
  return true;
}

/** The buffers of a message that has them as base64. */
function decoded(message: Response & { base64?: string[] }): DataView[] | undefined {
  return message.base64?.map((text) => {
    const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return new DataView(bytes.buffer);
  });
}

/** Whether an answer is complete: thumbnails come in parts, and curves after messages about their progress. */
function isLast(message: Response): boolean {
  if (message.kind === "thumbnails") return message.last;
  return message.kind !== "curves" || message.curves.length > 0;
}

/**
 * The messages of one view over the model: numbers requests, pairs replies with them and ignores those of other views.
 * Without a kernel nothing is sent and requests fail; nothing throws.
 */
export class Connection {
  readonly view = randomName();
  #pending = new Map<string, Pending>();
  #count = 0;
  readonly #model: Model;
  readonly #onReport: (report: Report, buffers: DataView[]) => void;
  readonly #liveness: Liveness;
  #asksForBase64 = false;

  constructor(model: Model, onReport: (report: Report, buffers: DataView[]) => void, liveness: Liveness) {
    this.#model = model;
    this.#onReport = onReport;
    this.#liveness = liveness;
    model.on("msg:custom", this.#receive);
  }

  #newId(): string {
    return `${this.view}-${++this.#count}`;
  }

  #send(body: RequestBody, id: string): boolean {
    return this.#liveness.attempt(() => this.#model.send({ ...body, id, view: this.view }));
  }

  /** Sends the changed traits to the kernel. */
  save(): void {
    if (this.#liveness.attempt(() => this.#model.save_changes())) this.#liveness.expectAnswer();
  }

  /** Sends what needs no answer. */
  notify(body: RequestBody): string {
    const id = this.#newId();
    this.#send(body, id);
    return id;
  }

  /** Resolves with the (last part of the) answer; rejects when the kernel reports an error or `signal` aborts. */
  request<A extends Response>(
    body: RequestBody,
    { signal, onPart, resend, onLate }: RequestOptions<A> = {},
  ): Promise<A> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const id = this.#newId();
      if (!this.#send(body, id)) return reject(new Error(NO_KERNEL));
      const repeat = () => {
        if (this.#send(body, id)) onLate?.();
      };
      const timer = resend ? setInterval(repeat, resend) : undefined;
      const settle = () => {
        clearInterval(timer);
        signal?.removeEventListener("abort", abort);
        this.#pending.delete(id);
      };
      const abort = () => {
        settle();
        this.notify({ kind: "cancel", cancels: id });
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort);
      this.#pending.set(id, {
        receive: (message, buffers) => {
          onPart?.(message as A, buffers);
          if (!isLast(message)) return;
          settle();
          resolve(message as A);
        },
        fail: (error) => {
          settle();
          reject(error);
        },
      });
    });
  }

  /** Rejects what is still pending. */
  fail(reason: string): void {
    for (const pending of [...this.#pending.values()]) pending.fail(new Error(reason));
  }

  /** Takes leave of the kernel; what is still pending is rejected. */
  close(): void {
    this.#model.off("msg:custom", this.#receive);
    this.fail("The view was closed.");
    this.notify({ kind: "leave" });
  }

  /** Buffers that the host has lost on the way come as base64 from now on. */
  #checkBuffers(buffers: DataView[]): void {
    if (this.#asksForBase64 || isCounting(buffers[0])) return;
    this.#asksForBase64 = true;
    this.notify({ kind: "base64" });
  }

  #receive = (message: unknown, sent: DataView[] = []): void => {
    if (!isResponse(message)) return;
    this.#liveness.hear();
    const buffers = decoded(message) ?? sent;
    if (message.kind === "catalogue") this.#checkBuffers(buffers);
    const id = "id" in message ? message.id : undefined;
    if (id === undefined) {
      this.#onReport(message as Report, buffers);
      return;
    }
    const pending = this.#pending.get(id);
    if (message.kind === "error") {
      // A request without an answer (an undo, for example) can fail too, and its error is shown like any other.
      if (pending) pending.fail(new Error(message.message));
      else if (id.startsWith(`${this.view}-`)) this.#onReport(message, buffers);
      return;
    }
    pending?.receive(message, buffers);
  };
}
