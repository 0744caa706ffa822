import type { Store } from "../store";
import { textProblems } from "./texts";

/** Texts, or the name of a list of them. */
export interface NewTexts {
  texts?: string[];
  list?: string;
}

/** Asks the kernel to add texts to a bin, one step to undo. Returns whether it did; problems are reported on the page. */
export async function addTexts(store: Store, bin: "corpus" | "foil", { texts = [], list }: NewTexts): Promise<boolean> {
  try {
    const reply = await store.kernel.ask({ kind: "add_texts", bin, texts, list: list ?? null });
    for (const problem of textProblems(reply, store.session.catalogue.peek()?.text?.context ?? null))
      store.ui.report(problem);
    const members = store.settings[bin].peek().length;
    const what = `${reply.added} ${reply.added === 1 ? "text" : "texts"} added to ${bin}.`;
    store.ui.announce(reply.added ? `${what} It has ${members}.` : `Nothing new for ${bin}.`);
    return reply.added > 0 || !reply.skipped.length;
  } catch (error) {
    store.ui.report((error as Error).message);
    return false;
  }
}
