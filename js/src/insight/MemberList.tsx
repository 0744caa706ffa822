import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { removeImages } from "../bins/actions";
import { useStore } from "../context";
import type { Member } from "../kernel/protocol";
import { Button } from "../ui/Button";
import { count } from "../ui/format";
import { MemberRow } from "./MemberRow";

const TOP = 12;
/** Rows that one click adds: thousands at once would block the page. */
const MORE = 200;

/** The members of the bins, the most influential first: one Tab stop, arrows between the rows. */
export function MemberList({ members }: { members: readonly Member[] }): JSX.Element {
  const store = useStore();
  const limit = useSignal(TOP);
  const current = useSignal<string | null>(null);
  const open = useSignal<string | null>(null);
  const list = useRef<HTMLUListElement>(null);
  /** Whether the focus is in the list, and whether the current row shall take it. */
  const focused = useRef(false);
  const focusWanted = useRef(false);

  const shown = members.slice(0, limit.value);
  const largest = Math.max(...members.map(({ share }) => Math.abs(share)));
  const at = Math.max(
    shown.findIndex(({ image }) => image === current.value),
    0,
  );

  useLayoutEffect(() => {
    const active = (list.current?.getRootNode() as Document | ShadowRoot | undefined)?.activeElement ?? null;
    // A new answer may move the row that has the focus, which takes it away, or the row itself.
    const lost = focused.current && !list.current?.contains(active);
    if (focusWanted.current || lost) list.current?.querySelectorAll<HTMLElement>(".member-main")[at]?.focus();
    focusWanted.current = false;
  });
  const goTo = (index: number) => {
    const next = shown[Math.max(0, Math.min(shown.length - 1, index))];
    if (!next || next.image === current.peek()) return;
    focusWanted.current = true;
    current.value = next.image;
  };
  const remove = ({ image, bin }: Member) => {
    const next = shown[at + 1] ?? shown[at - 1];
    removeImages(store, [image], bin);
    focusWanted.current = next !== undefined;
    current.value = next?.image ?? null;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const member = shown[at];
    const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: shown.length - 1 };
    const next = steps[event.key];
    if (next !== undefined) goTo(next);
    else if ((event.key === "Delete" || event.key === "Backspace") && member) remove(member);
    else return;
    event.preventDefault();
  };
  const left = members.length - shown.length;
  return (
    <>
      <div class="member-head" aria-hidden="true">
        <span title="What the member adds to the score, which is the sum of all shares">share</span>
        <span title="How much the heatmap changes without the member">change</span>
      </div>
      <ul
        class="members"
        ref={list}
        onKeyDown={onKeyDown}
        onFocusIn={() => {
          focused.current = true;
        }}
        onFocusOut={({ relatedTarget }) => {
          // Without a target the row was removed; the focus did not move elsewhere.
          if (relatedTarget && !list.current?.contains(relatedTarget as Node)) focused.current = false;
        }}
      >
        {shown.map((member, index) => (
          <MemberRow
            key={`${member.bin} ${member.image}`}
            member={member}
            largest={largest}
            focusable={index === at}
            open={open.value === member.image}
            onToggle={() => {
              current.value = member.image;
              open.value = open.peek() === member.image ? null : member.image;
            }}
            onRemove={() => remove(member)}
          />
        ))}
      </ul>
      {left > 0 && (
        <Button
          action="show-all"
          class="labelled"
          label={left > MORE ? `Show ${MORE} more of ${count(members.length)}` : `Show all ${count(members.length)}`}
          onClick={() => {
            focusWanted.current = true;
            current.value = members[shown.length]?.image ?? null;
            limit.value += Math.min(left, MORE);
          }}
        >
          {left > MORE ? `Show ${MORE} more of ${count(members.length)}` : `Show all ${count(members.length)}`}
        </Button>
      )}
    </>
  );
}
