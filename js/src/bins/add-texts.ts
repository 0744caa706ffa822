import type { Store } from "../store";
import { troubles } from "./texts";

export interface Wanted {
  texts?: string[];
  list?: string;
}

/** Asks the kernel to put texts into a bin, one step to undo; the answer is whether it did. What went wrong is told. */
export async function addTexts(store: Store, bin: "corpus" | "foil", { texts = [], list }: Wanted): Promise<boolean> {
  try {
    const reply = await store.kernel.ask({ kind: "add_texts", bin, texts, list: list ?? null });
    for (const trouble of troubles(reply, store.session.catalogue.peek()?.text?.context ?? null))
      store.ui.report(trouble);
    const members = store.settings[bin].peek().length;
    const what = `${reply.added} ${reply.added === 1 ? "text" : "texts"} added to ${bin}.`;
    store.ui.announce(reply.added ? `${what} It has ${members}.` : `Nothing new for ${bin}.`);
    return reply.added > 0 || !reply.skipped.length;
  } catch (error) {
    store.ui.report((error as Error).message);
    return false;
  }
}
