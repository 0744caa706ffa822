import { useSignal } from "@preact/signals";
import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { nameOf } from "../bins/texts";
import { useStore } from "../context";
import { count } from "../ui/format";

/** A note on the members of the bins that heatmaps do without, because they are not encoded yet. */
export function WaitingNote(): JSX.Element | null {
  const { explicands } = useStore();
  return explicands.waiting.value.length ? <Waiting /> : null;
}

function Waiting(): JSX.Element {
  const { explicands, session, kernel } = useStore();
  const seconds = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => {
      seconds.value += 1;
    }, 1000);
    return () => clearInterval(timer);
  }, []);
  const [waiting, used] = [explicands.waiting.value, explicands.used.value];
  const [first = ""] = waiting;
  const one = waiting.length === 1;
  const what = one ? nameOf(first) : `${count(waiting.length)} of ${count(used.length)} members`;
  const now = explicands.heatmaps.unanswered.value
    ? "there is no answer yet"
    : `heatmaps still answer the bins without ${one ? "it" : "them"}`;
  const task = session.status.value?.task?.label.toLowerCase() ?? "encoding";
  const progress = kernel.state.value === "closed" ? "" : ` (${task}, ${seconds.value} s)`;
  return (
    <span class="waiting" role="note" data-note="waiting">
      Waiting for {what}: {now}
      {progress}
    </span>
  );
}
