import { batch } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { type AimedBy, aimAt } from "../bins/aim";
import { useStore } from "../context";
import type { Operation } from "../kernel/protocol";
import { FOCUSABLE } from "./keyboard";

interface ButtonProps {
  action?: string;
  label: string;
  onClick: () => void;
  /** The operation of a button that changes the bins: heatmaps show its result while the user aims at the button. */
  aim?: () => Operation | null;
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
  aim,
  disabled,
  pressed,
  expanded,
  class: extra,
  skipped,
  worded,
  children,
}: ButtonProps): JSX.Element {
  const aiming = useAim(disabled ? undefined : aim);
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
      onClick={() => {
        if (disabled) return;
        batch(() => {
          onClick();
          aiming.end();
        });
      }}
      // By the keyboard: a click gives the focus, too, and has done already what would be shown.
      onFocus={({ currentTarget }) => currentTarget.matches(":focus-visible") && aiming.by("focus")}
      onBlur={() => aiming.end("focus")}
      // A finger has no pointer that could be over a button before it is pressed.
      onPointerEnter={({ pointerType }) => pointerType !== "touch" && aiming.by("pointer")}
      onPointerLeave={() => aiming.end("pointer")}
      {...FOCUSABLE}
    >
      {children}
    </button>
  );
}

/** Shows what an operation would do from `by` to `end`, which comes by itself when the control is removed. */
function useAim(aim: (() => Operation | null) | undefined) {
  const store = useStore();
  const now = useRef(new Set<AimedBy>()).current;
  const by = (way: AimedBy) => {
    if (!aim) return;
    now.add(way);
    aimAt(store, way, aim());
  };
  const end = (...ways: AimedBy[]) => {
    for (const way of ways.length ? ways : [...now]) if (now.delete(way)) aimAt(store, way, null);
  };
  useLayoutEffect(() => () => end(), []);
  return { by, end };
}
