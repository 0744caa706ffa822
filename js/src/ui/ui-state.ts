import { type ReadonlySignal, signal } from "@preact/signals";
import { remembered } from "./remembered";

/** Messages, theme, help: what concerns the page as a whole. */
export class UiState {
  /** Error messages on display. */
  readonly errors = signal<readonly string[]>([]);
  /** What a screen reader reads out. */
  readonly announcement = signal("");
  readonly help = signal(false);
  /** Whether the user has dismissed the hint that the encoder tells images hardly apart. */
  readonly alikeDismissed = signal(false);
  /** The number of photographs on screen that are not painted yet. */
  readonly unpainted = signal(0);

  /** Whether the settings that are seldom changed are shown. */
  readonly unfolded = remembered("unfolded", "sessionStorage");
  /** Whether the user has moved an image before, here or in another notebook. */
  readonly hasMoved = remembered("has-moved", "localStorage");

  constructor(readonly dark: ReadonlySignal<boolean>) {}

  /** Shows a message until it is dismissed; the same one twice is shown once. */
  report(message: string): void {
    if (!this.errors.peek().includes(message)) this.errors.value = [...this.errors.peek().slice(-2), message];
  }

  dismiss(message: string): void {
    this.errors.value = this.errors.peek().filter((other) => other !== message);
  }

  announce(message: string): void {
    // A live region says nothing when its text does not change, so a repeated message differs by a blank.
    this.announcement.value = this.announcement.peek() === message ? `${message} ` : message;
  }
}
