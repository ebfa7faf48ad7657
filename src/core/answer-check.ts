import { Validator } from '@cfworker/json-schema';
import type { Answer, AnswerEvent } from './answer.ts';
import { boundedSchema } from './bounded-schema.ts';
import type { Conversation } from './conversation.ts';

/** What a whole answer must be to be one; `null` where it is. Streams are checked on their first frames only. */
export function findFault(
  answer: Answer,
  conversation: Conversation,
): 'refusal' | 'empty_answer' | 'invalid_answer' | null {
  const said = answer.blocks.some(
    (block) => block.type === 'tool_call' || (block.type === 'text' && block.text.trim() !== ''),
  );
  if (!said) {
    if (answer.stop === 'refusal' || answer.blocks.some((block) => block.type === 'refusal'))
      return 'refusal';
    // Cut by its own limit before a word: a longer thinker would not help, so it is an answer.
    return answer.stop === 'length' ? null : 'empty_answer';
  }
  if (answer.stop !== 'stop' && answer.stop !== 'tool_calls') return null;
  if (isForced(conversation) && !answer.blocks.some((block) => block.type === 'tool_call'))
    return 'invalid_answer';
  for (const block of answer.blocks) {
    if (block.type !== 'tool_call') continue;
    const tool = conversation.tools.find((tool) => tool.name === block.name);
    // A custom tool takes free text.
    if (tool && block.custom === true) continue;
    if (!tool || !fits(block.arguments === '' ? '{}' : block.arguments, tool.parameters))
      return 'invalid_answer';
  }
  const { format } = conversation.output;
  if (
    format &&
    answer.stop === 'stop' &&
    !answer.stopSequence &&
    !answer.blocks.some((block) => block.type === 'tool_call')
  ) {
    const text = answer.blocks.map((block) => (block.type === 'text' ? block.text : '')).join('');
    if (!fits(text, format.type === 'json_schema' ? format.schema : undefined)) return 'invalid_answer';
  }
  return null;
}

function isForced({ toolChoice }: Conversation): boolean {
  if (toolChoice?.type === 'allowed') return toolChoice.mode === 'required';
  return toolChoice?.type === 'tool' || toolChoice?.type === 'required';
}

function fits(json: string, schema: Record<string, unknown> | undefined): boolean {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return false;
  }
  if (!schema) return true;
  try {
    const bounded = boundedSchema(schema);
    return bounded === null || new Validator(bounded, '2020-12', true).validate(value).valid;
  } catch {
    return true; // A schema we can't compile is no evidence against the answer.
  }
}

/** The same question of a stream, when only its first frames up to the first meaningful one are there. */
export function findFaultAtGate(head: readonly AnswerEvent[]): 'refusal' | 'empty_answer' | null {
  let fault: 'refusal' | 'empty_answer' | null = null;
  for (const event of head) {
    if (event.type === 'tool_call' || (event.type === 'text' && event.text.trim() !== '')) return null;
    if (event.type === 'refusal') fault = 'refusal';
    if (event.type === 'stop' && event.reason === 'refusal') fault = 'refusal';
    if (event.type === 'stop' && event.reason === 'length') return null;
    // Where it has not ended, it is thinking before our eyes.
    if (event.type === 'stop' || event.type === 'end') fault ??= 'empty_answer';
  }
  return fault;
}
