import { type InputSize, measureInput, tokensOn } from '../accounting/estimate.ts';
import { type Conversation, isTextDocument, type UserBlock } from '../conversation.ts';
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
  | 'documents'
  | 'documentUrls'
  | 'otherDocuments'
  | 'audio'
  | 'tools'
  | 'customTools'
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
  documents: { field: 'messages', lacks: 'takes no PDF files (send their text)' },
  documentUrls: { field: 'messages', lacks: 'takes no documents by their address (send the file itself)' },
  otherDocuments: { field: 'messages', lacks: 'takes no files but PDF and text' },
  audio: { field: 'messages', lacks: 'takes no audio' },
  tools: { field: 'tools', lacks: 'calls no tools' },
  customTools: { field: 'tools', lacks: 'holds no tool call to a grammar (use a function)' },
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
  const shown = shownIn(messages);
  const asked: Readonly<Record<Need, boolean>> = {
    vision: shown.has('vision'),
    documents: shown.has('documents'),
    documentUrls: shown.has('documentUrls'),
    otherDocuments: shown.has('otherDocuments'),
    audio: shown.has('audio'),
    tools: callable || toolHistory,
    // Free text without a grammar is wrapped where it has to be.
    customTools: callable && tools.some(({ custom }) => custom?.format?.type === 'grammar'),
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
    if (canDo(model.capabilities, name) || (adapting && name === 'forcedToolChoice')) continue;
    const { field, lacks } = REFUSALS[name];
    return { field, message: `${model.id} ${lacks}.` };
  }
  const limit = model.maxInput ?? model.contextWindow;
  const { total } = tokensOn(model, needs.input);
  if (total <= limit) return null;
  const message = `The input is about ${total} tokens; ${model.id} takes ${limit}. Shorten the conversation.`;
  return { field: 'messages', message };
}

function canDo(capabilities: Capabilities, need: Need): boolean {
  if (capabilities[need]) return true;
  // Through a tool that takes the answer (pipeline/prepare).
  return need === 'jsonSchema' && capabilities.tools && capabilities.forcedToolChoice;
}

/** What the messages show, tool results too. */
function shownIn(messages: Conversation['messages']): ReadonlySet<Need> {
  const shown = new Set<Need>();
  for (const { role, content } of messages) {
    if (role !== 'user' && role !== 'tool') continue;
    for (const block of content) {
      if (block.type !== 'tool_result') noteShown(block, shown);
      else for (const part of block.content) noteShown(part, shown);
    }
  }
  return shown;
}

function noteShown(block: UserBlock, shown: Set<Need>): void {
  if (block.type === 'image') shown.add('vision');
  else if (block.type === 'foreign' && block.kind === 'input_audio') shown.add('audio');
  else if (block.type === 'document' && !isTextDocument(block)) {
    const { source } = block;
    const isPdf = source.kind !== 'base64' || source.mediaType === 'application/pdf';
    shown.add(isPdf ? 'documents' : 'otherDocuments');
    if (source.kind === 'url') shown.add('documentUrls');
  }
}
