import type { JSX } from "preact";
import { promptOf } from "./texts";

/** A text in a bin, at the pointer or in a list; its box shows as much of it as there is room for. */
export function Prompt({ id }: { id: string }): JSX.Element {
  return (
    <span class="prompt">
      <QuoteMark />
      <span class="prompt-text" dir="auto">
        {promptOf(id)}
      </span>
    </span>
  );
}

export function QuoteMark(): JSX.Element {
  return (
    <span class="quote-mark" aria-hidden="true">
      “
    </span>
  );
}
