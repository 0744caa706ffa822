import { type Signal, useSignal } from "@preact/signals";
import type { ComponentChildren, JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { useStore } from "../context";
import type { TextInfo } from "../kernel/protocol";
import { count } from "../ui/format";
import { Icon } from "../ui/icons";
import { keepInside } from "../ui/keep-inside";
import { FOCUSABLE } from "../ui/keyboard";
import { addTexts } from "./add-texts";
import { templateError } from "./texts";

interface TextMenuProps {
  bin: "corpus" | "foil";
  text: TextInfo;
  busy: Signal<boolean>;
}

/** A menu of ready lists of texts for a bin, and of how texts are read, which is the same for both bins. */
export function TextMenu({ bin, text, busy }: TextMenuProps): JSX.Element {
  const open = useSignal(false);
  const holder = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const close = () => {
    open.value = false;
    button.current?.focus();
  };
  return (
    <div
      class="menu text-menu"
      role="group"
      aria-label={`Texts for the ${bin}`}
      ref={holder}
      onFocusOut={(event) => {
        const to = event.relatedTarget as Node | null;
        // Safari gives buttons no focus when they are clicked; the focus is then still in the menu.
        if (to && !holder.current?.contains(to)) open.value = false;
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open.peek()) return;
        event.preventDefault();
        close();
      }}
    >
      <button
        ref={button}
        type="button"
        class="button"
        data-action={`text-menu-${bin}`}
        title="Lists of texts, and how texts are read"
        aria-label={`Lists of texts for the ${bin}, and how texts are read`}
        aria-haspopup="dialog"
        aria-expanded={open.value}
        onClick={() => {
          open.value = !open.peek();
        }}
        {...FOCUSABLE}
      >
        <Icon name="chevron" />
      </button>
      {open.value && <TextSettings {...{ bin, text, busy, close }} />}
    </div>
  );
}

function TextSettings({ bin, text, busy, close }: TextMenuProps & { close: () => void }): JSX.Element {
  const store = useStore();
  const { settings, kernel } = store;
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => keepInside(box.current), []);
  useEffect(() => box.current?.querySelector<HTMLElement>(".menu-item")?.focus({ preventScroll: true }), []);
  // A click elsewhere closes the menu, also one on what cannot take the focus.
  useEffect(() => {
    const root = box.current?.closest<HTMLElement>(".cocoa");
    const holder = box.current?.parentElement;
    const onDown = (event: Event) => !holder?.contains(event.target as Node) && close();
    root?.addEventListener("pointerdown", onDown);
    return () => root?.removeEventListener("pointerdown", onDown);
  }, []);
  const onKeyDown = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    const all = [...(box.current?.querySelectorAll<HTMLElement>(".menu-item, input") ?? [])];
    all[(all.indexOf(event.target as HTMLElement) + by + all.length) % all.length]?.focus();
  };
  const addList = async (list: string) => {
    if (busy.peek()) return;
    close();
    busy.value = true;
    await addTexts(store, bin, { list });
    busy.value = false;
  };
  return (
    <div
      ref={box}
      class="menu-list"
      role="dialog"
      tabIndex={-1}
      aria-label={`Texts in the ${bin}`}
      onKeyDown={onKeyDown}
      {...FOCUSABLE}
    >
      {text.lists.length > 0 && <p class="menu-head">Put into the {bin}</p>}
      {text.lists.map(({ name, label, count: n }) => (
        <Item key={name} data={{ "data-list": name }} onClick={() => addList(name)}>
          <span class="menu-label">
            {label} · {count(n)} names
          </span>
        </Item>
      ))}
      <p class="menu-head">Read every text, in both bins, as</p>
      <div role="radiogroup" aria-label="Template">
        {text.templates.map(({ name, label, hint }) => (
          <Item
            key={name}
            data={{ "data-template": name }}
            role="radio"
            checked={settings.template.value === name}
            onClick={() => kernel.change({ template: name })}
          >
            <span class="menu-label">{label}</span>
            <span class="menu-hint">{hint}</span>
          </Item>
        ))}
      </div>
      <OwnTemplate names={text.templates.map(({ name }) => name)} />
      <Item
        data={{ "data-setting": "centred" }}
        role="switch"
        checked={settings.centred.value}
        onClick={() => kernel.change({ centred: !settings.centred.peek() })}
      >
        <span class="menu-label">Centre each modality</span>
        <span class="menu-hint">
          Takes the mean image from images and the mean text from texts, and so the gap between the two out of the score
        </span>
      </Item>
      {text.note && <p class="menu-note">{text.note}</p>}
    </div>
  );
}

interface ItemProps {
  data: Record<string, string>;
  role?: "radio" | "switch";
  checked?: boolean;
  onClick: () => void;
  children: ComponentChildren;
}

function Item({ data, role, checked, onClick, children }: ItemProps): JSX.Element {
  return (
    <button
      type="button"
      class="menu-item"
      {...(role && { role, "aria-checked": checked })}
      onClick={onClick}
      {...data}
      {...FOCUSABLE}
    >
      <span class="menu-check">{role ? checked && <Icon name="check" /> : <Icon name="plus" />}</span>
      <span>{children}</span>
    </button>
  );
}

/** The field for a template that the user writes. */
function OwnTemplate({ names }: { names: readonly string[] }): JSX.Element {
  const { settings, kernel } = useStore();
  const own = !names.includes(settings.template.value);
  const typed = useSignal(own ? settings.template.peek() : "");
  const wrong = useSignal<string | null>(null);
  const use = () => {
    const template = typed.peek().trim();
    wrong.value = template ? templateError(template) : null;
    if (template && !wrong.peek()) kernel.change({ template });
  };
  return (
    <div class="own-template" data-own={own || undefined}>
      <span class="menu-check">{own && <Icon name="check" />}</span>
      <div>
        <input
          type="text"
          dir="auto"
          data-setting="template"
          aria-label="A template of your own, with {} where the text goes"
          aria-invalid={wrong.value !== null}
          placeholder="a drawing of a {}"
          value={typed.value}
          onInput={(event) => {
            typed.value = event.currentTarget.value;
            wrong.value = null;
          }}
          onKeyDown={(event) => {
            if (event.key !== "Enter" || event.isComposing) return;
            event.preventDefault();
            use();
          }}
          {...FOCUSABLE}
        />
        {wrong.value ? (
          <span class="menu-wrong" role="alert">
            {wrong.value}
          </span>
        ) : (
          <span class="menu-hint">Your own; Enter uses it</span>
        )}
      </div>
    </div>
  );
}
