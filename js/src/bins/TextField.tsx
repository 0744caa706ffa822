import { type Signal, useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useRef } from "preact/hooks";
import { useCatalogue, useStore } from "../context";
import { FOCUSABLE } from "../ui/keyboard";
import { addTexts } from "./add-texts";
import { aimAt } from "./aim";
import { SPLITTING, splitPrompts, textId } from "./texts";

interface FieldProps {
  bin: "corpus" | "foil";
  /** Whether the kernel is about to answer, which the menu beside the field shares. */
  busy: Signal<boolean>;
}

/** The field in which texts for a bin are typed or pasted. */
export function TextField({ bin, busy }: FieldProps): JSX.Element {
  const store = useStore();
  const typed = useSignal("");
  const note = useCatalogue()?.text.note ?? "";
  const last = useRef(Promise.resolve());
  const waiting = useRef(0);
  // Shown only where the page has products of these texts, as of those that were in a bin before.
  const aim = (texts: readonly string[]) =>
    aimAt(store, "focus", texts.length ? { kind: "move", ids: texts.map(textId), origin: "gallery", to: bin } : null);
  const send = async (texts: string[]) => {
    const added = await addTexts(store, bin, { texts });
    waiting.current -= 1;
    busy.value = waiting.current > 0;
    // A refused text returns to the field, unless the user has typed something else in the meantime.
    if (!added && !typed.peek()) typed.value = texts.join("; ");
  };
  const add = (texts: string[]) => {
    if (!texts.length) return;
    typed.value = "";
    aim([]);
    waiting.current += 1;
    busy.value = true;
    // The user may go on typing while the kernel answers: each text waits for the one before.
    last.current = waiting.current > 1 ? last.current.then(() => send(texts)) : send(texts);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // An input method takes Enter to finish a word.
    if (event.isComposing) return;
    if (event.key === "Enter") add(splitPrompts(typed.peek()));
    else if (event.key === "Escape") store.tiles.focusIntent.value = bin;
    else return;
    event.preventDefault();
  };
  const onPaste = (event: ClipboardEvent) => {
    const texts = splitPrompts(event.clipboardData?.getData("text/plain") ?? "");
    // A field of one line would run the lines together.
    if (texts.length < 2 || typed.peek().trim()) return;
    event.preventDefault();
    add(texts);
  };
  return (
    <div class="text-field" data-busy={busy.value || undefined}>
      <input
        type="text"
        dir="auto"
        data-add-text={bin}
        placeholder="Add a text…"
        aria-label={`Add a text to the ${bin}`}
        aria-busy={busy.value}
        title={[`Enter adds (T leads here). ${SPLITTING}`, note].filter(Boolean).join("\n")}
        autocomplete="off"
        spellcheck={false}
        enterkeyhint="done"
        value={typed.value}
        onInput={(event) => {
          typed.value = event.currentTarget.value;
          aim(splitPrompts(typed.peek()));
        }}
        onFocus={() => aim(splitPrompts(typed.peek()))}
        onBlur={() => aim([])}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
        {...FOCUSABLE}
      />
    </div>
  );
}
