import type { ComponentChildren, JSX } from "preact";
import { FOCUSABLE } from "./keyboard";

interface ButtonProps {
  action?: string;
  label: string;
  onClick: () => void;
  disabled?: boolean;
  pressed?: boolean;
  expanded?: boolean;
  class?: string;
  /** Left out by the Tab key: a key of the tile does the same. */
  skipped?: boolean;
  /** Named by the text that it shows, as users of voice control say it; `label` is its tooltip only. */
  worded?: boolean;
  children: ComponentChildren;
}

/** A button whose label is both its tooltip and its name for screen readers. */
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
