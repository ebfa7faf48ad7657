import { Validator } from '@cfworker/json-schema';
import { boundedSchema } from '../bounded-schema.ts';
import type { Conversation, Message, Tool } from '../conversation.ts';
import { findAsk } from '../difficulty/ask.ts';
import { openLoop } from '../difficulty/loop.ts';

/** What shows that the last step of a lane went wrong. */
export const FAILURE_SIGNALS = [
  // A call's arguments are no JSON, or break the tool's schema.
  'invalid_arguments',
  // The newest call is an earlier one of the loop, word for word.
  'repeated_call',
  // Tools failed in at least two rounds in a row, the newest among them.
  'tool_errors',
  // The answer was cut off by its limit.
  'truncated',
  'refusal',
  // The model wrote its tool call as text (T38).
  'call_as_text',
  // The user says that the answer is wrong.
  'rejected',
] as const;
export type FailureSignal = (typeof FAILURE_SIGNALS)[number];

/** What only the gateway saw of the last answer: no wire sends it back. */
export interface LastAnswer {
  truncated: boolean;
  refused: boolean;
}

/** Rounds of failed tools in a row that are more than a try gone wrong. */
const ROUNDS = 2;

/**
 * Whether the newest answer went wrong, by itself or as the world took it. Anchored on the newest call and the newest
 * words of the user alone (T51): a task that has recovered shows nothing any more.
 * @param last what is known of the newest answer; null: nothing
 */
export function failureSignals(
  { messages, tools }: Pick<Conversation, 'messages' | 'tools'>,
  last: LastAnswer | null,
): FailureSignal[] {
  const at = messages.findLastIndex(({ role }) => role === 'assistant');
  const answer = messages[at];
  // The assistant spoke last: a prefill, and no answer that somebody took.
  if (answer?.role !== 'assistant' || at === messages.length - 1) return [];
  const ask = findAsk(messages);
  const loop = openLoop(messages, ask.at);
  const signals: FailureSignal[] = [];
  const add = (signal: FailureSignal, isThere: boolean): void => {
    if (isThere) signals.push(signal);
  };
  add(
    'invalid_arguments',
    answer.content.some((block) => block.type === 'tool_call' && !isValid(block, tools)),
  );
  add('repeated_call', loop?.repeated ?? false);
  add('tool_errors', (loop?.failures ?? 0) >= ROUNDS);
  add('truncated', last?.truncated ?? false);
  add('refusal', (last?.refused ?? false) || answer.content.some(({ type }) => type === 'refusal'));
  add('call_as_text', tools.length > 0 && isCallAsText(answer, tools));
  add('rejected', ask.at > at && isRejection(ask.text));
  return signals;
}

type Answer = Extract<Message, { role: 'assistant' }>;
type Call = Extract<Answer['content'][number], { type: 'tool_call' }>;

function isValid({ name, arguments: text, custom }: Call, tools: readonly Tool[]): boolean {
  const tool = tools.find((one) => one.name === name);
  // A history may hold calls of tools that are no longer offered.
  if (custom || !tool) return true;
  let value: unknown;
  try {
    value = JSON.parse(text.trim() === '' ? '{}' : text);
  } catch {
    return false;
  }
  const schema = tool.parameters && boundedSchema(tool.parameters);
  if (!schema) return true;
  try {
    return new Validator(schema, '2020-12', true).validate(value).valid;
  } catch {
    return true; // A schema we can't compile is no evidence against the call.
  }
}

/** Characters of an answer that are looked at (T11). */
const READ = 2_000;
/** What models of 2024–26 write in place of a call: Hermes and Qwen, Llama, Mistral, DeepSeek, Claude's own XML. */
const CALL_MARKS =
  /<(?:tool_call|function_calls?|function=|invoke name=|\|python_tag\||｜tool▁calls▁begin｜)|\[TOOL_CALLS\]/;
/** A JSON object that names a tool and its arguments, alone or in a code fence. */
const JSON_CALL =
  /^\s*(?:```(?:json|tool_call)?\s*)?\{[\s\S]{0,200}?"(?:name|tool|function|tool_name)"\s*:\s*"([^"]{1,64})"/;
const JSON_ARGUMENTS = /"(?:arguments|parameters|input|args)"\s*:/;

function isCallAsText(answer: Answer, tools: readonly Tool[]): boolean {
  if (answer.content.some(({ type }) => type === 'tool_call')) return false;
  const text = answer.content
    .map((block) => (block.type === 'text' ? block.text : ''))
    .join('')
    .slice(0, READ);
  const marked = CALL_MARKS.exec(text);
  // Text that speaks about such marks names no tool right after them.
  if (marked) {
    const after = text.slice(marked.index, marked.index + 300);
    if (tools.some(({ name }) => after.includes(name))) return true;
  }
  const [, name] = JSON_CALL.exec(text) ?? [];
  return name !== undefined && tools.some((tool) => tool.name === name) && JSON_ARGUMENTS.test(text);
}

/** Words with which people send an answer back, at the start of what they say: further on they speak of other things. */
const THIS = '(?:that|this|it|your (?:answer|code|fix|result|output))';
const MEANT = 'what i (?:asked|meant|wanted|said)';
const REJECTION = new RegExp(
  [
    `\\b${THIS}(?:['’]s| is| was) (?:still )?(?:wrong|incorrect|not (?:right|correct|working|${MEANT}))\\b`,
    `\\b${THIS} (?:still )?(?:doesn|didn|isn|wasn|does no|did no|is no|was no)['’]?t (?:work|help|right|correct|${MEANT})`,
    "\\byou (?:misunderstood|made a mistake|missed|are wrong|got (?:it|that|this) wrong)\\b|\\byou['’]re wrong\\b",
    `\\bstill (?:wrong|broken|fails|failing|not working)\\b|\\bnot ${MEANT}\\b|\\bwrong (?:answer|file|again)\\b`,
    '^\\s*(?:no[,.! ]+)?(?:wrong|incorrect)\\b',
  ].join('|'),
  'i',
);
const OPENING = 160;

function isRejection(words: string): boolean {
  return REJECTION.test(words.slice(0, OPENING));
}
