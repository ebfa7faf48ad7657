import type { Edits } from '../../json-splice.ts';
import type { Report } from '../../routing/adaptation.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { type JsonObject, objectsAt } from '../provider-json.ts';
import { systemAsUser } from './messages.ts';

interface EditOptions {
  /** Blocks to leave out: for each message of the assistant the places. */
  dropped: readonly (readonly number[])[];
  toolsChanged: boolean;
  report: Report;
}

/**
 * What has to change in a client's messages, by index; null where that is nothing. After the first change, or where
 * the tools before all of them changed, what a model thought is left out: it is bound to what stood before it (T16).
 */
export function editMessages(
  messages: readonly JsonObject[],
  model: CatalogModel,
  { dropped, toolsChanged, report }: EditOptions,
): Edits | null {
  const edits = new MessageEdits(messages, report);
  let answers = 0;
  messages.forEach((message, index) => {
    if (message.role === 'system' && !model.capabilities.midSystem) edits.systemToUser(index);
    if (message.role === 'assistant') {
      edits.remove(index, dropped[answers] ?? []);
      edits.moveDocuments(index);
      answers += 1;
    }
    if (message.role === 'user') edits.dropCitations(index);
  });
  const first = toolsChanged ? 0 : edits.first;
  if (first !== undefined) edits.stripThinking(toolsChanged ? 0 : turnOf(messages, first));
  return edits.result();
}

/** Index after the last thing the user said before this: the turn is stripped as a whole or not at all (T17). */
function turnOf(messages: readonly JsonObject[], index: number): number {
  return Math.max(
    0,
    messages.findLastIndex((message, at) => at <= index && isAsk(message)),
  );
}

function isAsk(message: JsonObject): boolean {
  if (message.role !== 'user') return false;
  return (
    typeof message.content === 'string' ||
    objectsAt(message, 'content').some((block) => block.type !== 'tool_result')
  );
}

class MessageEdits {
  /** Index of the first message that reads differently. */
  first: number | undefined;
  readonly #messages: readonly JsonObject[];
  readonly #report: Report;
  /** Blocks to take out, to rewrite, and to put behind the others; by message. */
  readonly #removed = new Map<number, Set<number>>();
  readonly #cited = new Map<number, number[]>();
  readonly #added = new Map<number, JsonObject[]>();
  readonly #rewritten = new Map<number, string>();

  constructor(messages: readonly JsonObject[], report: Report) {
    this.#messages = messages;
    this.#report = report;
  }

  /** Takes blocks out of a message; it goes with the last of them. */
  remove(index: number, places: readonly number[]): void {
    if (places.length === 0) return;
    this.#removed.set(index, new Set([...(this.#removed.get(index) ?? []), ...places]));
  }

  /** Some models know system messages only before the first turn; hoisted there they would break the prefix (T22). */
  systemToUser(index: number): void {
    const { role: _role, content, clear_at, output_config, ...rest } = this.#messages[index] ?? {};
    this.#note(index);
    this.#report({ field: 'messages.role', action: 'translated', from: 'system', to: 'user' });
    if (clear_at !== undefined) this.#report({ field: 'messages.clear_at', action: 'dropped' });
    if (output_config !== undefined) this.#report({ field: 'messages.output_config', action: 'dropped' });
    const blocks = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    const marked = Array.isArray(blocks)
      ? blocks.map((block) => ({ ...block, text: systemAsUser(String(block.text)) }))
      : blocks;
    this.#rewritten.set(index, JSON.stringify({ ...rest, role: 'user', content: marked }));
  }

  /** Version 2026-10-21 takes documents from users only: they go to the end of the next user message, or the last. */
  moveDocuments(index: number): void {
    const blocks = objectsAt(this.#messages[index] ?? {}, 'content');
    const documents = blocks.filter((block) => block.type === 'document');
    if (documents.length === 0) return;
    const isUser = (message: JsonObject): boolean => message.role === 'user';
    const next = this.#messages.findIndex((message, at) => at > index && isUser(message));
    const holder = next === -1 ? this.#messages.findLastIndex(isUser) : next;
    if (holder === -1) return;
    this.#note(Math.min(index, holder));
    this.#report({ field: 'messages.content.document', action: 'translated', from: 'assistant', to: 'user' });
    this.remove(
      index,
      documents.map((document) => blocks.indexOf(document)),
    );
    this.#added.set(holder, [...(this.#added.get(holder) ?? []), ...documents]);
  }

  /** Version 2026-10-21 refuses citations on a user's text. */
  dropCitations(index: number): void {
    objectsAt(this.#messages[index] ?? {}, 'content').forEach((block, place) => {
      if (block.type !== 'text' || !Array.isArray(block.citations) || block.citations.length === 0) return;
      this.#note(index);
      this.#report({ field: 'messages.content.citations', action: 'dropped' });
      this.#cited.set(index, [...(this.#cited.get(index) ?? []), place]);
    });
  }

  stripThinking(from: number): void {
    this.#messages.forEach((message, index) => {
      if (index < from || message.role !== 'assistant') return;
      objectsAt(message, 'content').forEach((block, place) => {
        if (block.type !== 'thinking' && block.type !== 'redacted_thinking') return;
        this.#report({ field: 'messages.thinking', action: 'dropped' });
        this.remove(index, [place]);
      });
    });
  }

  result(): Edits | null {
    const edits: Edits = {};
    for (const [index, text] of this.#rewritten) edits[index] = text;
    for (const index of new Set([...this.#removed.keys(), ...this.#cited.keys(), ...this.#added.keys()])) {
      edits[index] = this.#editsOf(index);
    }
    return Object.keys(edits).length > 0 ? edits : null;
  }

  #editsOf(index: number): Edits | undefined {
    const message = this.#messages[index] ?? {};
    const added = (this.#added.get(index) ?? []).map((block) => JSON.stringify(block));
    if (typeof message.content === 'string') {
      const text = JSON.stringify({ type: 'text', text: message.content });
      return { content: `[${[text, ...added].join(',')}]` };
    }
    const blocks = objectsAt(message, 'content');
    const removed = this.#removed.get(index) ?? new Set();
    // Nothing is left of it, and an empty message is refused.
    if (removed.size === blocks.length && added.length === 0) return undefined;
    const content: Edits = {};
    for (const place of removed) content[place] = undefined;
    for (const place of this.#cited.get(index) ?? []) content[place] = { citations: undefined };
    added.forEach((text, place) => {
      content[blocks.length + place] = text;
    });
    return { content };
  }

  #note(index: number): void {
    this.first = this.first === undefined ? index : Math.min(this.first, index);
  }
}
