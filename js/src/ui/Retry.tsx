import type { JSX } from "preact";
import { Button } from "./Button";
import { Icon } from "./icons";

/** An error of the kernel, and a button that tries again. */
export function Retry({ message, onRetry }: { message: string; onRetry: () => void }): JSX.Element {
  return (
    <div class="insight-error" role="alert">
      <Icon name="warning" />
      <p>{message}</p>
      <Button action="retry" class="labelled" label="Try again" onClick={onRetry}>
        Try again
      </Button>
    </div>
  );
}
