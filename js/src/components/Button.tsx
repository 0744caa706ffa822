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
  children,
}: ButtonProps): JSX.Element {
  return (
    <button
      type="button"
      class={extra ? `button ${extra}` : "button"}
      data-action={action}
      title={label}
      aria-label={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      // Not `disabled`, which would drop the focus when undo runs out.
      aria-disabled={disabled || undefined}
      onClick={() => !disabled && onClick()}
      {...FOCUSABLE}
    >
      {children}
    </button>
  );
}
