import type { JSX } from "preact";
import { useStore } from "../context";
import { Icon } from "../ui/icons";

/** A notice that the kernel is gone, and what to do then. */
export function KernelNote(): JSX.Element | null {
  const { kernel } = useStore();
  if (kernel.state.value !== "closed") return null;
  return (
    <div class="notice" data-kind="kernel" role="alert">
      <Icon name="warning" />
      <p>
        The kernel was restarted or has stopped; these heatmaps are from before. <b>Run the cell again</b> to restore
        the bins.
      </p>
    </div>
  );
}
