import type { JSX } from "preact";
import { promptOf } from "./texts";

/** A text as it stands in a bin, under the pointer and in lists: what somebody said, cut by its box and not by us. */
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
