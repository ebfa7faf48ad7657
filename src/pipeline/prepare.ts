import type { MarkerWish } from '../core/context/cache-markers.ts';
import type { PutBack } from '../core/context/thoughts.ts';
import type { Conversation, OutputConstraints, Reasoning, Tool } from '../core/conversation.ts';
import { forceAnswerTool } from '../core/dialects/answer-tool.ts';
import { adaptToMessagesApi } from '../core/dialects/anthropic-messages/adapt.ts';
import { isCompilable } from '../core/dialects/anthropic-messages/strictness.ts';
import { wrapCustomTools } from '../core/dialects/custom-tools.ts';
import { adaptToChat } from '../core/dialects/openai-chat/adapt.ts';
import { adaptToResponses } from '../core/dialects/openai-responses/adapt.ts';
import { isWhole, keepThinking } from '../core/dialects/thinking.ts';
import type { Wrapping } from '../core/dialects/unwrap.ts';
import { type Adaptation, type Report, reportInto } from '../core/routing/adaptation.ts';
import type { CatalogModel, Wire } from '../core/routing/catalog.ts';
import type { Candidate } from '../core/routing/plan.ts';
import { carriedThinking, fateOf } from '../core/routing/portability.ts';
import { withOwnMarkers } from './prepare-markers.ts';
import { adaptReasoning, thinkingRoom } from './prepare-reasoning.ts';
import { adaptSampling, adaptServiceTier } from './prepare-sampling.ts';

/** A conversation as one model takes it. */
export interface Prepared {
  conversation: Conversation;
  /** What was changed, for the answer's metadata. */
  adapted: Adaptation[];
  /** Stop sequences the model can't take: the gateway ends the answer before the first of them. */
  gatewayStop: string[];
  /** What has to be taken off the answer again; null where nothing was wrapped. */
  wrapping: Wrapping | null;
}

export interface PrepareOptions {
  /** The customer's `default_max_tokens`, for wires that must name a maximum. */
  defaultMaxTokens: number;
  /** A budget applies: no answer may be longer than what was reserved for it. */
  isBudgeted?: boolean;
  /** Who gets it: decides which thinking goes along. Absent: whoever made it. */
  to?: Pick<Candidate, 'provider' | 'name'>;
  /** The model speaks the client's own wire. */
  sameWire?: boolean;
  /** The gateway's own cache markers, where the client set none; absent: only the wire's automatic one. */
  markers?: MarkerWish;
  /** Leave all thinking out: the provider refused it. */
  withoutThinking?: boolean;
  /** What the model thought, for messages whose client could not send it. */
  back?: PutBack;
}

const ADAPT: Record<Wire, (conversation: Conversation, model: CatalogModel, report: Report) => Conversation> =
  {
    'anthropic-messages': adaptToMessagesApi,
    'openai-responses': adaptToResponses,
    'openai-chat': adaptToChat,
  };

/** Wires whose own bodies are edited message by message: their editor adapts and reports what it changes there. */
const EDITED: ReadonlySet<Wire> = new Set<Wire>(['anthropic-messages']);

/**
 * Adapts a conversation to the routed model: settings it refuses are dropped, clamped or translated, and each of
 * these is reported (T35, T37). What it lacks altogether has excluded it before (core/routing/capability.ts).
 * @throws FluxError 400 where the client's own cache markers are more than the provider takes.
 */
export function prepare(conversation: Conversation, target: CatalogModel, options: PrepareOptions): Prepared {
  const adapted: Adaptation[] = [];
  const report = reportInto(adapted);
  const edited = options.sameWire === true && EDITED.has(target.wire);
  const thought = withCarriedThinking(conversation, target, options, report);
  const marked = edited ? thought : withOwnMarkers(thought, target, options.markers);
  const carried = options.back?.blocks.size ? putBack(marked, conversation, options.back) : marked;
  const willing = adaptToolChoice(carried, target, report);
  const { conversation: wrapped, wrapping } = edited
    ? { conversation: willing, wrapping: null }
    : wrap(willing, target, report);
  const reasoning = adaptReasoning(wrapped, target, report);
  const { output, gatewayStop } = adaptOutput(
    wrapped.output,
    reasoning,
    target,
    { ...options, edited },
    report,
  );
  const settled: Conversation = {
    ...wrapped,
    tools: adaptStrictness(wrapped.tools, target, report),
    output,
    sampling: adaptSampling(wrapped.sampling, reasoning.effort, target, report),
    reasoning,
    hints: adaptServiceTier(wrapped.hints, target, report),
  };
  return {
    conversation: edited ? settled : ADAPT[target.wire](settled, target, report),
    adapted,
    gatewayStop,
    wrapping,
  };
}

/** Thinking goes back to its producer unmodified, or not at all (T16–T18): what the model can't take is left out. */
function withCarriedThinking(
  conversation: Conversation,
  target: CatalogModel,
  { to, withoutThinking }: PrepareOptions,
  report: Report,
): Conversation {
  const messages = keepThinking(conversation.messages, (block) => {
    if (withoutThinking === true || !isWhole(block)) return false;
    const carried = carriedThinking(block);
    const destination = to ?? carried.producer ?? { provider: '', name: '' };
    return fateOf(carried, { ...destination, model: target }) === 'kept';
  });
  if (messages === null) return conversation;
  report({ field: 'messages.thinking', action: 'dropped' });
  return { ...conversation, messages };
}

/** After the markers, whose places are counted in what the client sent. */
function putBack(marked: Conversation, sent: Conversation, { blocks }: PutBack): Conversation {
  const messages = marked.messages.map((message, index) => {
    // Nothing so far has taken a message out.
    const thought = blocks.get(sent.messages[index] ?? message);
    if (message.role !== 'assistant' || !thought) return message;
    return { ...message, content: [...thought, ...message.content] };
  });
  return { ...marked, messages };
}

/** What the model has no word for is wrapped in tools that it does know. */
function wrap(
  conversation: Conversation,
  target: CatalogModel,
  report: Report,
): { conversation: Conversation; wrapping: Wrapping | null } {
  const { capabilities, wire } = target;
  const plain = capabilities.customTools ? conversation : wrapCustomTools(conversation, report);
  const { format } = plain.output;
  const isForeign =
    format?.type === 'json_schema' &&
    capabilities.forcedToolChoice &&
    (!capabilities.jsonSchema || (wire === 'anthropic-messages' && !isCompilable(format.schema)));
  const { conversation: wrapped, name } = isForeign
    ? forceAnswerTool(plain, report)
    : { conversation: plain, name: null };
  const custom = plain === conversation ? [] : conversation.tools.filter((tool) => tool.custom !== undefined);
  const isWrapped = custom.length > 0 || name !== null;
  return {
    conversation: wrapped,
    wrapping: isWrapped ? { custom: new Set(custom.map((tool) => tool.name)), answer: name } : null,
  };
}

/**
 * A forced tool choice for a model that refuses one (T67): only the named tool is offered, and the model decides.
 * A model that calls no tools at all gets none; the step does not need them, or it would have excluded the model.
 */
function adaptToolChoice(conversation: Conversation, target: CatalogModel, report: Report): Conversation {
  const { toolChoice, tools } = conversation;
  if (!target.capabilities.tools && tools.length > 0) {
    report({ field: 'tools', action: 'dropped' });
    const { toolChoice: _choice, ...rest } = conversation;
    return { ...rest, tools: [] };
  }
  if (target.capabilities.forcedToolChoice || toolChoice === undefined) return conversation;
  if (toolChoice.type === 'tool') {
    report({ field: 'tool_choice', action: 'translated', from: 'function', to: 'auto' });
    const named = tools.filter((tool) => tool.name === toolChoice.name);
    return { ...conversation, tools: named, toolChoice: { type: 'auto' } };
  }
  if (toolChoice.type === 'required') {
    report({ field: 'tool_choice', action: 'translated', from: 'required', to: 'auto' });
    return { ...conversation, toolChoice: { type: 'auto' } };
  }
  if (toolChoice.type === 'allowed' && toolChoice.mode === 'required') {
    return { ...conversation, toolChoice: { ...toolChoice, mode: 'auto' } };
  }
  return conversation;
}

/** Chat Completions takes no more stop sequences than this. */
const CHAT_STOPS = 4;

function adaptOutput(
  output: OutputConstraints,
  reasoning: Reasoning,
  target: CatalogModel,
  { defaultMaxTokens, isBudgeted, edited }: PrepareOptions & { edited: boolean },
  report: Report,
): { output: OutputConstraints; gatewayStop: string[] } {
  const { capabilities, maxOutput, wire } = target;
  const adapted: OutputConstraints = { ...output };
  if (output.maxTokens !== undefined && output.maxTokens > maxOutput) {
    report({ field: 'max_tokens', action: 'clamped', from: output.maxTokens, to: maxOutput });
    adapted.maxTokens = maxOutput;
  } else if (output.maxTokens === undefined && isBudgeted) {
    adapted.maxTokens = Math.min(maxOutput, defaultMaxTokens);
    report({ field: 'max_tokens', action: 'clamped', to: adapted.maxTokens });
  } else if (output.maxTokens === undefined && wire === 'anthropic-messages') {
    // Required there, thinking included (T36): the client set no limit, so this takes nothing from it.
    adapted.maxTokens = Math.min(maxOutput, defaultMaxTokens + thinkingRoom(reasoning, target));
  }
  if (output.verbosity !== undefined && !capabilities.verbosity) {
    report({ field: 'verbosity', action: 'dropped', from: output.verbosity });
    delete adapted.verbosity;
  }
  // What an Anthropic client asks of Anthropic itself, that answers for.
  if (edited) return { output: adapted, gatewayStop: [] };
  const native = capabilities.stop && (wire !== 'openai-chat' || output.stop.length <= CHAT_STOPS);
  // Anthropic refuses stop sequences of white space.
  const onWire = (stop: string): boolean => native && (wire !== 'anthropic-messages' || stop.trim() !== '');
  const gatewayStop = output.stop.filter((stop) => !onWire(stop));
  if (gatewayStop.length > 0) {
    report({ field: 'stop', action: 'translated' });
    adapted.stop = output.stop.filter(onWire);
  }
  return { output: adapted, gatewayStop };
}

function adaptStrictness(tools: Tool[], target: CatalogModel, report: Report): Tool[] {
  if (target.capabilities.strictTools || !tools.some((tool) => tool.strict === true)) return tools;
  report({ field: 'tools.strict', action: 'dropped' });
  return tools.map(({ strict: _strict, ...tool }) => tool);
}
