import { type InputSize, measureInput, tokensOn } from '../accounting/estimate.ts';
import type { Conversation } from '../conversation.ts';
import type { Capabilities, CatalogModel } from './catalog-model.ts';

/** What a conversation asks of a model that no adaptation can replace (providers.md, section 5). */
export interface Needs {
  /** Capabilities it can't do without, in the order they are reported. */
  capabilities: readonly Need[];
  /** Its input, counted for each candidate by its own tokenizer. */
  input: InputSize;
}

type Need = Extract<
  keyof Capabilities,
  | 'vision'
  | 'tools'
  | 'forcedToolChoice'
  | 'jsonSchema'
  | 'jsonObject'
  | 'multipleAnswers'
  | 'logprobs'
  | 'logitBias'
  | 'prefill'
>;

/** Why a model is no candidate, in the words of Chat Completions. */
export interface Exclusion {
  /** The request's field at fault. */
  field: string;
  message: string;
}

/** For each need its field, and what a model without it does not do. */
const REFUSALS: Readonly<Record<Need, { field: string; lacks: string }>> = {
  vision: { field: 'messages', lacks: 'takes no images' },
  tools: { field: 'tools', lacks: 'calls no tools' },
  forcedToolChoice: {
    field: 'tool_choice',
    lacks: 'cannot be forced to call a tool (use tool_choice "auto")',
  },
  jsonSchema: { field: 'response_format', lacks: 'has no JSON-schema output' },
  jsonObject: { field: 'response_format', lacks: 'has no json_object output (give a json_schema)' },
  multipleAnswers: { field: 'n', lacks: 'gives one answer a request (use n: 1)' },
  logprobs: { field: 'logprobs', lacks: 'gives no logprobs' },
  logitBias: { field: 'logit_bias', lacks: 'takes no logit_bias' },
  prefill: {
    field: 'messages',
    lacks: 'does not continue a last message of the assistant (end with one of the user)',
  },
};

/**
 * Everything in a conversation that can exclude a model. Sampling, penalties, seed, stop, effort, verbosity and
 * the output limit are absent: those are adapted and reported (pipeline/prepare).
 */
export function needsOf(conversation: Conversation): Needs {
  const { messages, tools, toolChoice, output, sampling } = conversation;
  const toolHistory = messages.some(
    ({ role, content }) => role === 'tool' || content.some((block) => block.type === 'tool_call'),
  );
  // Tools that are offered but switched off are no need (T2).
  const callable = tools.length > 0 && toolChoice?.type !== 'none';
  const forced =
    toolChoice?.type === 'required' ||
    toolChoice?.type === 'tool' ||
    (toolChoice?.type === 'allowed' && toolChoice.mode === 'required');
  const asked: Readonly<Record<Need, boolean>> = {
    vision: messages.some(hasImage),
    tools: callable || toolHistory,
    forcedToolChoice: forced,
    jsonSchema: output.format?.type === 'json_schema',
    jsonObject: output.format?.type === 'json_object',
    multipleAnswers: output.n > 1,
    logprobs: output.logprobs || (output.topLogprobs ?? 0) > 0,
    logitBias: Object.keys(sampling.logitBias ?? {}).length > 0,
    prefill: messages.at(-1)?.role === 'assistant',
  };
  // The keys of REFUSALS are exactly the needs.
  const names = Object.keys(REFUSALS) as Need[];
  return { capabilities: names.filter((name) => asked[name]), input: measureInput(conversation) };
}

/**
 * The first reason a model can't take a conversation (T8), or null where it can.
 * @param adapting no model that takes a forced tool choice was found: it may become a request (T67: filter first,
 *   adapt second), which `pipeline/prepare` does and reports
 */
export function excludedBy(model: CatalogModel, needs: Needs, adapting = false): Exclusion | null {
  for (const name of needs.capabilities) {
    if (model.capabilities[name] || (adapting && name === 'forcedToolChoice')) continue;
    const { field, lacks } = REFUSALS[name];
    return { field, message: `${model.id} ${lacks}.` };
  }
  const limit = model.maxInput ?? model.contextWindow;
  const { total } = tokensOn(model, needs.input);
  if (total <= limit) return null;
  const message = `The input is about ${total} tokens; ${model.id} takes ${limit}. Shorten the conversation.`;
  return { field: 'messages', message };
}

function hasImage(message: Conversation['messages'][number]): boolean {
  return message.content.some((block) =>
    block.type === 'tool_result'
      ? block.content.some((part) => part.type === 'image')
      : block.type === 'image',
  );
}
