import type { ComponentChildren, JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { FOCUSABLE } from "./keyboard";

interface DialogProps {
  label: string;
  class: string;
  onClose: () => void;
  /** Handles keys besides Escape and Tab; returns whether it has used the key. */
  onKey?: (event: KeyboardEvent) => boolean;
  onKeyUp?: (event: KeyboardEvent) => void;
  children: ComponentChildren;
}

/** A dialog over the whole widget that keeps the focus until it closes and then gives it back. */
export function Dialog({ label, class: name, onClose, onKey, onKeyUp, children }: DialogProps): JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const root = box.current?.getRootNode() as Document | ShadowRoot | undefined;
    const before = root?.activeElement;
    box.current?.focus({ preventScroll: true });
    return () => before instanceof HTMLElement && before.isConnected && before.focus({ preventScroll: true });
  }, []);
  const last = useRef<EventTarget | null>(null);
  useLayoutEffect(() => watchForLostFocus(box.current, last), []);
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented) return;
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
      onFocusIn={({ target }) => {
        last.current = target;
      }}
      onKeyDown={onKeyDown}
      onKeyUp={onKeyUp}
      onClick={(event) => event.target === event.currentTarget && onClose()}
      {...FOCUSABLE}
    >
      {children}
    </div>
  );
}

/** When the element with the focus is removed, the keys would go to the notebook: the dialog takes the focus itself. */
function watchForLostFocus(box: HTMLElement | null, last: { current: EventTarget | null }): (() => void) | undefined {
  if (!box) return;
  const observer = new MutationObserver(() => {
    const active = (box.getRootNode() as Document | ShadowRoot).activeElement;
    const gone = last.current instanceof Node && !last.current.isConnected;
    if (gone && (!active || active === document.body)) box.focus({ preventScroll: true });
  });
  observer.observe(box, { childList: true, subtree: true });
  return () => observer.disconnect();
}

/** Moves the focus to the next button of the dialog; after the last comes the first. */
function keepFocus(event: KeyboardEvent, box: HTMLElement | null): void {
  const all = [...(box?.querySelectorAll<HTMLElement>("button:not([tabindex='-1'])") ?? [])];
  const at = all.indexOf(event.target as HTMLElement);
  const next = event.shiftKey ? (at <= 0 ? all.length - 1 : at - 1) : (at + 1) % all.length;
  all[next]?.focus();
}
