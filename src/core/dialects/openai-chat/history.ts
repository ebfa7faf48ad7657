import { valueText } from '../../json-scan.ts';
import { type AnswerRecorder, messageText } from '../answer-recorder.ts';
import type { HistoryForm } from '../history.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt } from '../provider-json.ts';

/** Chat's history: messages as its clients send them, and answers as they push them back. */
export const CHAT_HISTORY: HistoryForm = {
  list: 'messages',
  settings: ['tools'],
  leads: true,
  rivals: [],
  recordAnswer,
};

function recordAnswer(): AnswerRecorder {
  const message: JsonObject = { role: 'assistant', content: null, refusal: null };
  const calls: JsonObject[] = [];
  return {
    whole(text) {
      const path = ['choices', 0, 'message'];
      const said = valueText(text, path) ?? '{}';
      return messageText(said, saysNothing(JSON.parse(said)));
    },
    take(data) {
      // Several answers are refused, so there is one at most.
      const [choice] = isObject(data) ? objectsAt(data, 'choices') : [];
      const { tool_calls: _calls, ...delta } = (choice && objectAt(choice, 'delta')) ?? {};
      addWords(message, delta);
      for (const piece of objectsAt({ tool_calls: _calls }, 'tool_calls')) addCall(calls, piece);
    },
    said() {
      const whole = { ...message, ...(calls.length > 0 ? { tool_calls: calls.filter(Boolean) } : {}) };
      return messageText(JSON.stringify(whole), saysNothing(whole));
    },
  };
}

/** Words are added to those before; anything else is as it last came. Some servers have members of their own. */
function addWords(message: JsonObject, delta: JsonObject): void {
  for (const [key, value] of Object.entries(delta)) {
    if (key === 'role' || value === null || value === '') continue;
    message[key] = typeof value === 'string' ? (textAt(message, key) ?? '') + value : value;
  }
}

function addCall(calls: JsonObject[], { index, function: made, custom, ...rest }: JsonObject): void {
  const call = calls[Number(index)] ?? {};
  calls[Number(index)] = call;
  Object.assign(call, rest);
  for (const [kind, words, piece] of [
    ['function', 'arguments', made],
    ['custom', 'input', custom],
  ] as const) {
    if (!isObject(piece)) continue;
    const told = objectAt(call, kind) ?? {};
    const said = (textAt(told, words) ?? '') + (textAt(piece, words) ?? '');
    call[kind] = { ...told, ...piece, [words]: said };
  }
}

function saysNothing(message: unknown): boolean {
  if (!isObject(message)) return true;
  return !message.content && !message.refusal && objectsAt(message, 'tool_calls').length === 0;
}
