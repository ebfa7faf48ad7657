import { invalidRequest } from '../../errors.ts';
import { valueText } from '../../json-scan.ts';
import { type Edits, spliceMembers } from '../../json-splice.ts';
import type { Keeping, KeptAnswer } from '../client-dialect.ts';
import { isObject, type JsonObject, objectsAt } from '../provider-json.ts';

/** Takes an answer once it is written, for those who will go on from it. */
export interface AnswerKeeper {
  take(response: JsonObject): void;
  kept(): KeptAnswer | null;
}

export function createAnswerKeeper(): AnswerKeeper {
  let kept: KeptAnswer | null = null;
  return {
    take(response) {
      const finished = response.status === 'completed' || response.status === 'incomplete';
      if (finished && typeof response.id === 'string') {
        kept = { id: response.id, items: objectsAt(response, 'output').filter(canGoBack) };
      }
    },
    kept: () => kept,
  };
}

/**
 * Reasoning goes back sealed, and before what came of it, or not at all: the provider has kept nothing to look it up
 * in, and refuses a reasoning item that nothing follows (providers.md §4, pairing).
 */
function canGoBack(item: JsonObject, place: number, output: readonly JsonObject[]): boolean {
  if (item.type !== 'reasoning') return true;
  const followed = output.slice(place + 1).some(({ type }) => type !== 'reasoning');
  return followed && typeof item.encrypted_content === 'string';
}

/** `previous_response_id` and `item_reference`, which name what an earlier answer said. */
export const RESPONSES_KEEPING: Keeping = {
  named(body) {
    if (!isObject(body)) return null;
    const response = typeof body.previous_response_id === 'string' ? body.previous_response_id : undefined;
    if (response !== undefined && body.conversation != null) {
      throw invalidRequest(
        "'previous_response_id' and 'conversation' each name what came before: send one of them.",
        'previous_response_id',
      );
    }
    const items = references(body).map(({ id }) => id);
    if (response === undefined && items.length === 0) return null;
    return { items, ...(response === undefined ? {} : { response }) };
  },

  resolve(rawBody, body, { response, items }) {
    const inner: Edits = {};
    for (const { id, index } of isObject(body) ? references(body) : []) {
      const text = items.get(id);
      if (text !== undefined) inner[index] = text;
    }
    const filled = Object.keys(inner).length === 0 ? rawBody : spliceMembers(rawBody, { input: inner });
    if (response === undefined) return filled;
    const input = [response, inputText(filled)].filter((text) => text !== '').join(',');
    return spliceMembers(filled, { input: `[${input}]`, previous_response_id: undefined });
  },

  keepable(rawBody, { items }) {
    const said = items.map((item): [unknown, string] => [item.id, JSON.stringify(item)]);
    const texts = [inputText(rawBody), ...said.map(([, text]) => text)];
    return {
      response: texts.filter((text) => text !== '').join(','),
      items: new Map(said.flatMap(([itemId, text]) => (typeof itemId === 'string' ? [[itemId, text]] : []))),
    };
  },

  wanted: (body) => isObject(body) && body.store !== false,
};

function references(body: JsonObject): { id: string; index: number }[] {
  if (!Array.isArray(body.input)) return [];
  return body.input.flatMap((item: unknown, index) =>
    isObject(item) && isReference(item) && typeof item.id === 'string' ? [{ id: item.id, index }] : [],
  );
}

/** The type may be left out. */
export function isReference({ type, role }: JsonObject): boolean {
  return type === 'item_reference' || (type == null && role === undefined);
}

/** The items of the input as they stand in the body, without the brackets around them. */
function inputText(rawBody: string): string {
  const text = valueText(rawBody, ['input'])?.trim();
  if (text === undefined || text === 'null' || text === '""') return '';
  return text.startsWith('[') ? text.slice(1, -1).trim() : `{"role":"user","content":${text}}`;
}
