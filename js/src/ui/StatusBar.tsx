import type { ComponentChildren, JSX } from "preact";
import { useCatalogue, useStore } from "../context";
import { bytes, count } from "./format";

/** The line at the bottom: `children`, then what the kernel does. */
export function StatusBar({ children }: { children?: ComponentChildren }): JSX.Element {
  const { session, kernel } = useStore();
  const { status, waiting } = session;
  // The status of a kernel that does not answer is out of date.
  const now = kernel.state.value === "live" ? status.value : null;
  const encoder = useCatalogue()?.encoder;
  return (
    <div class="status" role="group" aria-label="Status">
      {children}
      <span class="silence" role="status">
        {kernel.state.value === "silent" && !waiting.value && "No answer: the kernel is busy with a cell, or gone."}
      </span>
      {kernel.state.value === "closed" && <span class="fact">no kernel</span>}
      {waiting.value && <span class="task">waiting for the kernel…</span>}
      {now?.task && <Task {...now.task} />}
      {now && now.explicands > 0 && (
        <span class="fact" title="Explicands whose heatmaps follow every change at once">
          {count(now.ready)}/{count(now.explicands)} ready
        </span>
      )}
      {now && (
        <span class="fact" title={`Kept for instant updates: ${bytes(now.memory)} of at most ${bytes(now.budget)}`}>
          {bytes(now.memory)}
        </span>
      )}
      {encoder && (
        <span class="fact" title={`${encoder.input.join(" × ")} pixels, ${encoder.precision}`}>
          <span class="encoder">{encoder.name}</span> on {encoder.device.toUpperCase()}
        </span>
      )}
    </div>
  );
}

function Task({ label, done, total }: { label: string; done: number; total: number }): JSX.Element {
  return (
    <span class="task" title={total ? `${count(done)} of ${count(total)} encoder passes` : undefined}>
      <span class="task-label">{label}</span>
      {/* The text tower does not report how long it takes to get ready. */}
      <progress {...(total ? { value: done, max: total } : {})} aria-label={label} />
    </span>
  );
}
