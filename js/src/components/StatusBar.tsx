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
    <span class="task" title={`${count(done)} of ${count(total)} encoder passes`}>
      <span class="task-label">{label}</span>
      <progress value={done} max={Math.max(1, total)} aria-label={label} />
    </span>
  );
}
