import type { ComponentChildren, JSX } from "preact";
import { FOCUSABLE } from "../keyboard";

interface ButtonProps {
  action?: string;
  label: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  expanded?: boolean;
  class?: string;
  /** Not a stop of the Tab key: there is a key that does the same. */
  skipped?: boolean;
  /** Named by the text that it shows, which those who speak to their computer say; `label` tells more. */
  worded?: boolean;
  children: ComponentChildren;
}

/** A button whose label is told to everybody: as its tooltip and to screen readers. */
export function Button({
  action,
  label,
  onClick,
  disabled,
  pressed,
  expanded,
  class: extra,
  skipped,
  worded,
  children,
}: ButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={extra ? `button ${extra}` : "button"}
      data-action={action}
      title={label}
      aria-label={worded ? undefined : label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      // Not `disabled`, which would drop the focus when undo runs out.
      aria-disabled={disabled || undefined}
      tabIndex={skipped ? -1 : undefined}
      onClick={() => !disabled && onClick()}
      {...FOCUSABLE}
    >
      {children}
    </button>
  );
}
