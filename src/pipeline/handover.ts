import { leadingSystem, tokensOn } from '../core/accounting/estimate.ts';
import { pricesOf } from '../core/accounting/price-book.ts';
import { tokenFactor } from '../core/accounting/tokenizers.ts';
import { noteOf } from '../core/context/compress.ts';
import { type HandedContext, handedContext, isSummed, withSummary } from '../core/context/handed-context.ts';
import type { Bound } from '../core/context/lanes.ts';
import { MOST_SUMMARISED, SUMMARY_TOKENS } from '../core/context/summary.ts';
import type { Conversation } from '../core/conversation.ts';
import { hasCacheMarks } from '../core/dialects/cache-marks.ts';
import { cutBody } from '../core/dialects/cut-body.ts';
import { isThinking } from '../core/dialects/thinking.ts';
import type { ContextMetadata } from '../core/metadata.ts';
import type { CatalogModel } from '../core/routing/catalog.ts';
import type { PlanInput } from '../core/routing/plan.ts';
import type { Tier } from '../core/routing/tier.ts';
import type { AssessedRequest } from './planned-step.ts';
import type { StepRequest } from './step-request.ts';
import { summariser } from './summary.ts';

/**
 * What each tier may be handed of a step, measured where the plan asks for it. All of it, always: in a mode that
 * measures only, for a model that was named, where nobody knows what is warm, where the client sets cache markers of
 * its own (T20), and where the request holds what only its own wire knows (T15).
 */
export function handedFor({ request, settings, needs, state }: AssessedRequest): PlanInput['handed'] {
  const { conversation, wish, ownFields } = request;
  if (settings.handover === 'off' || settings.mode !== 'route' || wish.kind === 'pinned') return undefined;
  if (!state.found || ownFields.length > 0 || marksItself(request)) return undefined;
  const known = new Map<Tier, HandedContext | null>();
  return (tier) => {
    const before = known.get(tier);
    if (before !== undefined) return before;
    const wantsSummary = settings.handover === 'summary';
    const whole = { input: needs.input, parts: state.parts };
    const handed = handedContext(conversation, whole, tier, wantsSummary);
    if (handed && wantsSummary) handed.summaryUsd = summaryUsd(handed, { request, settings, state });
    known.set(tier, handed);
    return handed;
  };
}

/** What its summary will cost, unless there is one. */
function summaryUsd(
  { leftOut, parts }: HandedContext,
  { request, settings, state }: Pick<AssessedRequest, 'request' | 'settings' | 'state'>,
): number {
  const sent = Object.values(state.found?.lane.prefixes ?? {}).flat();
  if (sent.some((prefix) => prefix.parts.left_out === parts.left_out)) return 0;
  const by = summariser(settings, request.startedAt);
  const provider = by && settings.providers.get(by.provider);
  if (!by || !provider) return 0;
  const factor = tokenFactor(by.model);
  const tokens = Math.min(leftOut.tokens, MOST_SUMMARISED) * factor;
  const prices = pricesOf(provider, by.name, new Date(request.startedAt).toISOString(), tokens);
  const output = SUMMARY_TOKENS.likely * factor;
  return (tokens * (prices?.fresh ?? 0) + output * (prices?.output ?? 0)) / 1e6;
}

function marksItself({ conversation, body }: StepRequest): boolean {
  // Anthropic's automatic marker stands beside the messages.
  const isAutomatic = typeof body === 'object' && body !== null && 'cache_control' in body;
  return isAutomatic || conversation.hints.promptCacheOptions !== undefined || hasCacheMarks(conversation);
}

/** A request as it would have come with the cut made, and what is then handed over. */
export interface CutRequest {
  request: StepRequest;
  handed: HandedContext;
}

/** @returns null where the client's own body can't be cut so */
export function cutRequest(
  request: StepRequest,
  planned: HandedContext,
  { wire }: Pick<CatalogModel, 'wire'>,
  summary: string | undefined,
): CutRequest | null {
  const handed = withSummary(planned, request.conversation, summary);
  const { cut, messages } = handed;
  const conversation = { ...request.conversation, messages };
  if (wire !== request.wire) return { request: { ...request, conversation }, handed };
  const body = cutBody(request, wire, request.conversation.messages, cut.gaps, noteOf(cut, summary));
  const { rawBytes: _asItCame, ...rest } = request;
  return body && { request: { ...rest, ...body, conversation }, handed };
}

/**
 * A conversation as it can be sent whole once some answers of the lane were made without its middle: what Anthropic's
 * models thought in them is bound to that, and refused behind anything else (T16). A turn loses all of it or none (T17).
 */
export function withoutBound(conversation: Conversation, { first, last }: Bound): Conversation {
  const { messages } = conversation;
  const lead = leadingSystem(messages);
  const next = messages.findIndex(({ role }, index) => index > lead + last && role === 'user');
  const end = next === -1 ? messages.length : next;
  let isSame = true;
  const left = messages.map((message, index) => {
    if (message.role !== 'assistant' || index < lead + first || index >= end) return message;
    if (!message.content.some(isThinking)) return message;
    isSame = false;
    return { ...message, content: message.content.filter((block) => !isThinking(block)) };
  });
  return isSame ? conversation : { ...conversation, messages: left };
}

/** What the client is told of a context it did not send so. */
export function contextMetadata(
  { conversation }: StepRequest,
  { cut, input, parts }: HandedContext,
  whole: HandedContext['input'],
  model: CatalogModel,
): ContextMetadata {
  return {
    kept_messages: conversation.messages.length - cut.leftOut,
    left_out_messages: cut.leftOut,
    left_out_tokens: Math.max(0, tokensOn(model, whole).total - tokensOn(model, input).total),
    summary: isSummed(parts),
  };
}
