import type { AnswerEvent } from '../../answer.ts';
import { valueText } from '../../json-scan.ts';
import {
  invalidAnswer,
  type JsonObject,
  objectAt,
  objectsAt,
  requiredText,
  textAt,
} from '../provider-json.ts';
import { type EventReader, frameReader, progress } from '../upstream.ts';
import { argumentsOf, callId, stopReason, throwError, usageOfChat } from './answer.ts';

/** Reads the event stream of one `POST /v1/chat/completions`: the first choice. */
export function createEventReader(): EventReader {
  let started = false;
  let refused = false;
  let answerId = '';
  let callCount = 0;
  /** The wire's index → the call it stands for now. */
  const calls = new Map<unknown, { index: number; id: string | undefined }>();
  /** With `n` > 1 the answer is over when the last of its choices is, not when the first one is. */
  const openChoices = new Set<unknown>();
  let stop: AnswerEvent | undefined;

  function readCall(delta: JsonObject, objectText: () => string | undefined): AnswerEvent[] {
    const custom = objectAt(delta, 'custom');
    const made = custom ?? objectAt(delta, 'function') ?? {};
    const id = textAt(delta, 'id') || undefined;
    // Without an index a call is told from the one before by its id; so are two under the same index.
    const known = calls.get(delta.index);
    const events: AnswerEvent[] = [];
    let index = known?.index;
    if (index === undefined || (id !== undefined && id !== known?.id)) {
      index = callCount;
      callCount += 1;
      calls.set(delta.index, { index, id });
      events.push({
        type: 'tool_call',
        index,
        id: callId(delta, index, answerId),
        name: requiredText(made, 'name'),
        ...(custom === undefined ? {} : { custom: true }),
      });
    }
    const text = argumentsOf(made, objectText);
    if (text !== '') events.push({ type: 'tool_arguments', index, delta: text });
    return events;
  }

  /** @param text the choice as it stands in the chunk */
  function readChoice(choice: JsonObject, text: () => string): AnswerEvent[] {
    const delta = objectAt(choice, 'delta') ?? {};
    const events: AnswerEvent[] = [];
    // Not of OpenAI's own, but of most servers with its API.
    const thought = textAt(delta, 'reasoning_content') ?? textAt(delta, 'reasoning');
    if (thought) events.push(progress(thought));
    const said = textAt(delta, 'content');
    if (said) events.push({ type: 'text', text: said });
    const refusal = textAt(delta, 'refusal');
    if (refusal) {
      refused = true;
      events.push({ type: 'refusal', text: refusal });
    }
    for (const [place, call] of objectsAt(delta, 'tool_calls').entries()) {
      const path = ['delta', 'tool_calls', place, 'function', 'arguments'];
      events.push(...readCall(call, () => valueText(text(), path)));
    }
    const reason = textAt(choice, 'finish_reason');
    if (reason) stop = { type: 'stop', reason: stopReason(reason, { calls: callCount > 0, refused }) };
    return events;
  }

  const readChunk = frameReader((chunk, raw) => {
    throwError(chunk);
    const choices = objectsAt(chunk, 'choices');
    const usage = usageOfChat(chunk);
    if (!Array.isArray(chunk.choices) && usage === undefined)
      throw invalidAnswer('a chunk without `choices`');
    const events: AnswerEvent[] = [];
    if (!started) {
      started = true;
      answerId = textAt(chunk, 'id') ?? '';
      events.push({ type: 'start', id: answerId, model: textAt(chunk, 'model') ?? '' });
    }
    for (const [place, choice] of choices.entries()) {
      const index = choice.index ?? 0;
      if (textAt(choice, 'finish_reason')) openChoices.delete(index);
      else openChoices.add(index);
      if (index === 0) events.push(...readChoice(choice, () => valueText(raw, ['choices', place]) ?? '{}'));
    }
    if (stop && openChoices.size === 0) {
      events.push(stop);
      stop = undefined;
    }
    // The last chunk, with empty `choices`; some servers repeat it on every chunk.
    if (usage !== undefined) {
      const serviceTier = textAt(chunk, 'service_tier');
      events.push({ type: 'usage', usage, ...(serviceTier === undefined ? {} : { serviceTier }) });
    }
    return events.length > 0 ? events : [{ type: 'progress' }];
  });

  return (frame) => (frame.data.trim() === '[DONE]' ? [{ type: 'end' }] : readChunk(frame));
}
