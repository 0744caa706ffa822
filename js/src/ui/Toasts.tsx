import type { JSX } from "preact";
import { useStore } from "../context";
import { Button } from "./Button";
import { Icon } from "./icons";

/** Error messages, each until it is dismissed. */
export function Toasts(): JSX.Element {
  const { ui } = useStore();
  return (
    <div class="toasts">
      {ui.errors.value.map((message) => (
        <div class="toast" role="alert" key={message}>
          <Icon name="warning" />
          <p>{message}</p>
          <Button label="Dismiss" onClick={() => ui.dismiss(message)}>
            <Icon name="close" />
          </Button>
        </div>
      ))}
    </div>
  );
}
