import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import type { Choice } from "../kernel/protocol";
import { Icon } from "./icons";
import { keepInside } from "./keep-inside";
import { FOCUSABLE } from "./keyboard";

interface MenuProps {
  setting: string;
  title: string;
  choices: readonly Choice[];
  value: string;
  onChoose: (name: string) => void;
}

/** A button with a list of choices and their hints, which a native select could not show. */
export function Menu({ setting, title, choices, value, onChoose }: MenuProps): JSX.Element {
  const open = useSignal(false);
  const holder = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const current = choices.find((choice) => choice.name === value);
  const close = () => {
    open.value = false;
    button.current?.focus();
  };
  const onFocusOut = (event: FocusEvent) => {
    if (!holder.current?.contains(event.relatedTarget as Node | null)) open.value = false;
  };
  return (
    <div class="menu" ref={holder} onFocusOut={onFocusOut}>
      <button
        ref={button}
        type="button"
        class="button menu-button"
        data-setting={setting}
        data-value={value}
        title={current?.hint || title}
        aria-haspopup="menu"
        aria-expanded={open.value}
        aria-label={`${title} ${current?.label ?? value}`}
        onClick={() => {
          open.value = !open.value;
        }}
        {...FOCUSABLE}
      >
        <span class="titled">
          <span class="menu-title">{title}</span> <span class="menu-value">{current?.label ?? value}</span>
        </span>
        <Icon name="chevron" />
      </button>
      {open.value && <MenuList {...{ title, choices, value, onChoose, close }} />}
    </div>
  );
}

type ListProps = Omit<MenuProps, "setting"> & { close: () => void };

function MenuList({ title, choices, value, onChoose, close }: ListProps): JSX.Element {
  const list = useRef<HTMLDivElement>(null);
  const items = () => [...(list.current?.querySelectorAll<HTMLElement>("[role=menuitemradio]") ?? [])];
  useEffect(() => {
    (items().find((item) => item.ariaChecked === "true") ?? items()[0])?.focus();
  }, []);
  useLayoutEffect(() => keepInside(list.current), []);
  const onKeyDown = (event: KeyboardEvent) => {
    const all = items();
    const at = all.indexOf(event.target as HTMLElement);
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
    const next = steps[event.key] ?? startingWith(all, at, event);
    if (next !== undefined) all[(next + all.length) % all.length]?.focus();
    else if (event.key === "Escape") close();
    else return;
    event.preventDefault();
  };
  return (
    <div class="menu-list" role="menu" tabIndex={-1} aria-label={title} ref={list} onKeyDown={onKeyDown} {...FOCUSABLE}>
      {choices.map((choice) => (
        <button
          type="button"
          role="menuitemradio"
          key={choice.name}
          class="menu-item"
          data-value={choice.name}
          aria-checked={choice.name === value}
          aria-disabled={choice.unavailable ? true : undefined}
          onClick={() => {
            if (choice.unavailable) return;
            onChoose(choice.name);
            close();
          }}
          {...FOCUSABLE}
        >
          <span class="menu-check">{choice.name === value && <Icon name="check" />}</span>
          <span>
            <span class="menu-label">{choice.label}</span>
            <span class="menu-hint">{choice.unavailable ?? choice.hint}</span>
          </span>
        </button>
      ))}
    </div>
  );
}

/** The next entry whose label begins with the letter that was typed. */
function startingWith(items: HTMLElement[], at: number, { key, ctrlKey, metaKey, altKey }: KeyboardEvent) {
  if (key.length !== 1 || key === " " || ctrlKey || metaKey || altKey) return undefined;
  const matches = items.flatMap((item, index) => {
    const label = item.querySelector(".menu-label")?.textContent ?? "";
    return label.toLowerCase().startsWith(key.toLowerCase()) ? [index] : [];
  });
  return matches.find((index) => index > at) ?? matches[0];
}
