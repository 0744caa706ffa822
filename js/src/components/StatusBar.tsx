import type { JSX } from "preact";
import { useStore } from "../context";
import { bytes, count } from "../format";
import { Legend } from "./Legend";

export function StatusBar(): JSX.Element {
  const { status, catalogue, waiting } = useStore();
  const now = status.value;
  const encoder = catalogue.value?.encoder;
  return (
    <footer class="status">
      <Legend />
      <span class="spacer" />
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
    </footer>
  );
}

function Task({ label, done, total }: { label: string; done: number; total: number }): JSX.Element {
  return (
    <span class="task" title={total ? `${count(done)} of ${count(total)} encoder passes` : undefined}>
      <span class="task-label">{label}</span>
      {/* How long it takes to get ready for texts nobody can say. */}
      <progress {...(total ? { value: done, max: total } : {})} aria-label={label} />
    </span>
  );
}
