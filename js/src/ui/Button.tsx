import type { ComponentChildren, JSX } from "preact";
import { FOCUSABLE } from "./keyboard";

interface ButtonProps {
  action?: string;
  label: string;
  onClick: () => void;
  /** Called with true when the keyboard reaches the button, and with false when the focus leaves it. */
  onFocused?: (focused: boolean) => void;
  disabled?: boolean;
  pressed?: boolean;
  expanded?: boolean;
  class?: string;
  /** Not reached by the Tab key: a key of the tile does the same. */
  skipped?: boolean;
  /** Its accessible name is the text that it shows, which users of voice control say; `label` is only its tooltip. */
  worded?: boolean;
  children: ComponentChildren;
}

/** A button whose label is both its tooltip and its name for screen readers. */
export function Button({
  action,
  label,
  onClick,
  onFocused,
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
      // Not `disabled`, which would drop the focus once there is nothing left to undo.
      aria-disabled={disabled || undefined}
      tabIndex={skipped ? -1 : undefined}
      onClick={() => !disabled && onClick()}
      onFocus={onFocused && (({ currentTarget }) => onFocused(currentTarget.matches(":focus-visible")))}
      onBlur={onFocused && (() => onFocused(false))}
      {...FOCUSABLE}
    >
      {children}
    </button>
  );
}
