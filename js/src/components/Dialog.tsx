import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { FOCUSABLE } from "../keyboard";

interface DialogProps {
  label: string;
  class: string;
  onClose: () => void;
  /** Keys besides Escape and Tab; answers whether it took the key. */
  onKey?: (event: KeyboardEvent) => boolean;
  onKeyUp?: (event: KeyboardEvent) => void;
  children: ComponentChildren;
}

/** A layer over the whole widget that keeps the focus until it closes and then gives it back. */
export function Dialog({ label, class: name, onClose, onKey, onKeyUp, children }: DialogProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const root = box.current?.getRootNode() as Document | ShadowRoot | undefined;
    const before = root?.activeElement;
    box.current?.focus({ preventScroll: true });
    return () => before instanceof HTMLElement && before.isConnected && before.focus({ preventScroll: true });
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Escape") onClose();
    else if (event.key === "Tab") keepFocus(event, box.current);
    else if (!onKey?.(event)) return;
    event.preventDefault();
  };
  return (
    <div
      ref={box}
      class={`dialog ${name}`}
      role="dialog"
      aria-modal="true"
      aria-label={label}
      tabIndex={-1}
      onKeyDown={onKeyDown}
      onKeyUp={onKeyUp}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      {...FOCUSABLE}
    >
      {children}
    </div>
  );
}

/** Tab goes around among the dialog's buttons. */
function keepFocus(event: KeyboardEvent, box: HTMLElement | null): void {
  const all = [...(box?.querySelectorAll<HTMLElement>("button") ?? [])];
  const at = all.indexOf(event.target as HTMLElement);
  const next = event.shiftKey ? (at <= 0 ? all.length - 1 : at - 1) : (at + 1) % all.length;
  all[next]?.focus();
}
