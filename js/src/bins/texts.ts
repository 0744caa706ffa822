import type { Texts } from "../kernel/protocol";
import { count } from "../ui/format";

/** Prompts as members of the bins; `cocoa_widget/texts/texts.py` has the same rules for ids. */

const PREFIX = "text:";

export const isText = (id: string): boolean => id.startsWith(PREFIX);

export const promptOf = (id: string): string => id.slice(PREFIX.length);

export const textId = (prompt: string): string => PREFIX + collapsed(prompt);

const collapsed = (text: string): string => text.trim().replace(/\s+/g, " ");

/** In quotation marks, and short enough for a message. Cut between whole characters, so that no emoji is split. */
export function quoted(prompt: string, longest = 40): string {
  const letters = [...prompt.slice(0, 2 * longest + 2)];
  return `“${letters.length > longest ? `${letters.slice(0, longest - 1).join("")}…` : prompt}”`;
}

/** The name of a member in messages. */
export const nameOf = (id: string): string => (isText(id) ? quoted(promptOf(id)) : id);

/** "2 texts and 1 image". */
export function amount(ids: readonly string[]): string {
  const texts = ids.filter(isText).length;
  const images = ids.length - texts;
  const some = (n: number, what: string) => `${count(n)} ${what}${n === 1 ? "" : "s"}`;
  if (!texts) return some(images, "image");
  return images ? `${some(texts, "text")} and ${some(images, "image")}` : some(texts, "text");
}

/** Texts are shown above the photographs; the order in which each came is kept. */
export function arranged(ids: readonly string[]): readonly string[] {
  const texts = ids.filter(isText);
  return texts.length && texts.length < ids.length ? [...texts, ...ids.filter((id) => !isText(id))] : ids;
}

const MOST_WORDS = 3;

/**
 * The prompts in what was typed or pasted. Lines, tabs and semicolons always divide. A comma does only where all is a bare
 * list: three entries or more of at most three words, none of which begins with "and" or "or", as in a sentence.
 */
export function splitPrompts(text: string): string[] {
  const parts = text.split(/[\n\r\t;]+/).map(collapsed);
  const [only, ...others] = parts.filter(Boolean);
  const listed = only !== undefined && !others.length ? bareList(only) : null;
  return [...new Set(listed ?? parts.filter(Boolean))];
}

function bareList(line: string): string[] | null {
  const entries = line.split(",").map(collapsed).filter(Boolean);
  const isEntry = (entry: string) => entry.split(" ").length <= MOST_WORDS && !/^(and|or)\b|[.!?]$/i.test(entry);
  return entries.length >= 3 && entries.every(isEntry) ? entries : null;
}

export const SPLITTING =
  "A pasted list makes many texts: lines, tabs and semicolons divide, and commas where it is a plain list (cat, dog, red fox).";

/** Why a custom template cannot be used, or null. */
export function templateError(template: string): string | null {
  return template.split("{}").length === 2 ? null : "Write {} once, where the text goes: a drawing of a {}";
}

const listed = (prompts: readonly string[]): string => {
  const some = prompts.slice(0, 3).map((prompt) => quoted(prompt, 28));
  return prompts.length > some.length
    ? `${some.join(", ")} and ${count(prompts.length - some.length)} more`
    : some.join(", ");
};

/** Messages about texts that were not added, or that the encoder does not read to their end. */
export function textProblems({ skipped, cut }: Texts, context: number | null): string[] {
  const byReason = new Map<string, string[]>();
  for (const { text, reason } of skipped) byReason.set(reason, [...(byReason.get(reason) ?? []), text]);
  const said = [...byReason].map(([reason, texts]) => `Not added: ${listed(texts)}. ${reason}`);
  if (cut.length) {
    const limit = context === null ? "what" : `the ${count(context)} tokens that`;
    said.push(`Longer than ${limit} the encoder reads, so the end is ignored: ${listed(cut)}.`);
  }
  return said;
}
