import type { Conversation, OutputConstraints, Sampling, Tool } from '../core/conversation.ts';
import { adaptToMessagesApi } from '../core/dialects/anthropic-messages/adapt.ts';
import { adaptToChat } from '../core/dialects/openai-chat/adapt.ts';
import { adaptToResponses } from '../core/dialects/openai-responses/adapt.ts';
import { isWhole, keepThinking } from '../core/dialects/thinking.ts';
import { type Adaptation, type Report, reportInto } from '../core/routing/adaptation.ts';
import type { CatalogModel, Wire } from '../core/routing/catalog.ts';

/** A conversation as one model takes it. */
export interface Prepared {
  conversation: Conversation;
  /** What was changed, for the answer's metadata. */
  adapted: Adaptation[];
  /** Stop sequences the model can't take: the gateway ends the answer before the first of them. */
  gatewayStop: string[];
}

const ADAPT: Record<Wire, (conversation: Conversation, model: CatalogModel, report: Report) => Conversation> =
  {
    'anthropic-messages': adaptToMessagesApi,
    'openai-responses': adaptToResponses,
    'openai-chat': adaptToChat,
  };

/**
 * Adapts a conversation to the routed model: settings it refuses are dropped, clamped or translated, and each of
 * these is reported (T35, T37). What it lacks altogether has excluded it before (core/routing/capability.ts).
 *
 * @param options.defaultMaxTokens the customer's `default_max_tokens`, for wires that must name a maximum.
 * @throws FluxError 400 where the client's own cache markers are more than the provider takes.
 */
export function prepare(
  conversation: Conversation,
  target: CatalogModel,
  options: { defaultMaxTokens: number; withoutThinking?: boolean },
): Prepared {
  const adapted: Adaptation[] = [];
  const report = reportInto(adapted);
  const effort = adaptEffort(conversation.reasoning.effort, target, report);
  const { output, gatewayStop } = adaptOutput(conversation.output, target, options.defaultMaxTokens, report);
  // Never converted, so it goes back only to the wire it came from (T16–T18).
  const messages = keepThinking(
    conversation.messages,
    (block) => !options.withoutThinking && isWhole(block) && block.wire === target.wire,
  );
  if (messages) report({ field: 'messages.thinking', action: 'dropped' });
  const settled: Conversation = {
    ...conversation,
    ...(messages ? { messages } : {}),
    tools: adaptStrictness(conversation.tools, target, report),
    output,
    sampling: adaptSampling(conversation.sampling, effort, target, report),
    reasoning: effort === undefined ? {} : { effort },
  };
  const willing = adaptToolChoice(settled, target, report);
  return { conversation: ADAPT[target.wire](willing, target, report), adapted, gatewayStop };
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

/** All efforts of 2026, weakest first. */
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** The client's effort, or the nearest the model knows: the cheaper of two that are equally near. */
function adaptEffort(effort: string | undefined, target: CatalogModel, report: Report): string | undefined {
  const { efforts } = target.capabilities;
  if (effort === undefined || efforts.includes(effort)) return effort;
  const wanted = EFFORTS.indexOf(effort);
  const distance = (candidate: string): number => Math.abs(EFFORTS.indexOf(candidate) - wanted);
  const known = EFFORTS.filter((candidate) => efforts.includes(candidate));
  const [first, ...rest] = known;
  if (wanted === -1 || first === undefined) {
    report({ field: 'reasoning_effort', action: 'dropped' });
    return undefined;
  }
  const nearest = rest.reduce(
    (best, candidate) => (distance(candidate) < distance(best) ? candidate : best),
    first,
  );
  report({ field: 'reasoning_effort', action: 'clamped', from: effort, to: nearest });
  return nearest;
}

const PENALTIES = [
  ['presencePenalty', 'presence_penalty'],
  ['frequencyPenalty', 'frequency_penalty'],
] as const;

function adaptSampling(
  sampling: Sampling,
  effort: string | undefined,
  target: CatalogModel,
  report: Report,
): Sampling {
  const { capabilities } = target;
  const adapted = { ...sampling };
  const reasons = (effort ?? capabilities.defaultEffort ?? 'none') !== 'none';
  const taken = capabilities.sampling === 'always' || (capabilities.sampling === 'effort_none' && !reasons);
  const { temperature, topP } = sampling;
  if (temperature !== undefined && !taken) {
    report({ field: 'temperature', action: 'dropped', from: temperature });
    delete adapted.temperature;
  } else if (temperature !== undefined && temperature > capabilities.maxTemperature) {
    const to = capabilities.maxTemperature;
    report({ field: 'temperature', action: 'clamped', from: temperature, to });
    adapted.temperature = to;
  }
  if (topP !== undefined && !taken) {
    report({ field: 'top_p', action: 'dropped', from: topP });
    delete adapted.topP;
  }
  if (sampling.seed !== undefined && !capabilities.seed) {
    report({ field: 'seed', action: 'dropped' });
    delete adapted.seed;
  }
  for (const [name, field] of PENALTIES) {
    const penalty = sampling[name];
    if (penalty === undefined || capabilities.penalties) continue;
    report({ field, action: 'dropped', from: penalty });
    delete adapted[name];
  }
  if (sampling.logitBias !== undefined && !capabilities.logitBias) {
    report({ field: 'logit_bias', action: 'dropped' });
    delete adapted.logitBias;
  }
  return adapted;
}

/** Chat Completions takes no more stop sequences than this. */
const CHAT_STOPS = 4;

function adaptOutput(
  output: OutputConstraints,
  target: CatalogModel,
  defaultMaxTokens: number,
  report: Report,
): { output: OutputConstraints; gatewayStop: string[] } {
  const { capabilities, maxOutput, wire } = target;
  const adapted: OutputConstraints = { ...output };
  if (output.maxTokens !== undefined && output.maxTokens > maxOutput) {
    report({ field: 'max_tokens', action: 'clamped', from: output.maxTokens, to: maxOutput });
    adapted.maxTokens = maxOutput;
  } else if (output.maxTokens === undefined && wire === 'anthropic-messages') {
    // Required there, thinking included (T36): the client set no limit, so this takes nothing from it.
    adapted.maxTokens = Math.min(maxOutput, defaultMaxTokens);
  }
  if (output.verbosity !== undefined && !capabilities.verbosity) {
    report({ field: 'verbosity', action: 'dropped', from: output.verbosity });
    delete adapted.verbosity;
  }
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
