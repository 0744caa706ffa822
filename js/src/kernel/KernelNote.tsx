import type { JSX } from "preact";
import { useStore } from "../context";
import { Icon } from "../ui/icons";

/** A notice that the kernel is gone, and what to do then. */
export function KernelNote(): JSX.Element | null {
  const { kernel, settings } = useStore();
  if (kernel.state.value !== "closed") return null;
  return (
    <div class="notice" data-kind="kernel" role="alert">
      <Icon name="warning" />
      <p>
        The kernel was restarted or has stopped. The page goes on with what it has, and keeps the bins.{" "}
        <b>Run the cell again</b> {settings.restore.value ? "to go on with them there." : "to restore them there."}
      </p>
    </div>
  );
}
