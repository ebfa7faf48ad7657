import { valueText } from '../../json-scan.ts';
import { spliceMembers } from '../../json-splice.ts';
import { type AnswerRecorder, messageText } from '../answer-recorder.ts';
import type { HistoryForm, Texts } from '../history.ts';
import { isObject, type JsonObject, objectAt, textAt } from '../provider-json.ts';
import { readUserId } from './user-id.ts';

/** Messages' history: thinking with its signature is in it, so that it goes back to the model that thought. */
export const MESSAGES_HISTORY: HistoryForm = {
  list: 'messages',
  settings: ['system', 'tools'],
  // Those in the list stand where they were said.
  leads: false,
  rivals: ['thread'],
  sessionIn(body) {
    const metadata = isObject(body) ? objectAt(body, 'metadata') : undefined;
    return readUserId((metadata && textAt(metadata, 'user_id')) ?? '').session;
  },
  recordAnswer,
};

function recordAnswer(): AnswerRecorder {
  const blocks: { block: JsonObject; input: string }[] = [];
  return {
    whole: (text) => answerText(valueText(text, ['content']) ?? '[]'),
    take(data) {
      if (!isObject(data)) return;
      const { index, content_block: begun, delta } = data;
      if (data.type === 'content_block_start' && isObject(begun))
        blocks[Number(index)] = { block: { ...begun }, input: '' };
      const part = blocks[Number(index)];
      if (data.type === 'content_block_delta' && part && isObject(delta)) addDelta(part, delta);
    },
    said: () => answerText(`[${blocks.filter(Boolean).map(blockText).join(',')}]`),
  };
}

/** As Anthropic's own clients put a message together. */
function addDelta(part: { block: JsonObject; input: string }, { type, ...delta }: JsonObject): void {
  const { block } = part;
  if (type === 'input_json_delta') part.input += textAt(delta, 'partial_json') ?? '';
  else if (type === 'citations_delta')
    block.citations = [...(Array.isArray(block.citations) ? block.citations : []), delta.citation];
  else if (type === 'signature_delta') block.signature = delta.signature;
  else
    for (const [key, value] of Object.entries(delta))
      block[key] = typeof value === 'string' ? (textAt(block, key) ?? '') + value : value;
}

/** Its input stays in the model's own words: numbers and the order of keys count for caches. */
function blockText({ block, input }: { block: JsonObject; input: string }): string {
  const text = JSON.stringify(block);
  return input.trim() !== '' && isJson(input) ? spliceMembers(text, { input }) : text;
}

function answerText(content: string): Texts {
  return messageText(`{"role":"assistant","content":${content}}`, content.slice(1, -1).trim() === '');
}

/** Cut by `max_tokens` it need not be. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
