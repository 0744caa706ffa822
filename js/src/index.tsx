import type { RenderProps } from "@anywidget/types";
import { Comm } from "./kernel/comm";
import type { KernelTraits, Traits } from "./kernel/protocol";
import { showPage } from "./page";

/** The widget's view, as anywidget renders it. */
function render({ model, el, signal }: RenderProps<Traits & KernelTraits>): () => void {
  return showPage(new Comm(model), el, signal);
}

export default { render };
