import { tokensOn } from '../core/accounting/estimate.ts';
import { pricesOf } from '../core/accounting/price-book.ts';
import { type MarkerWish, paysForLong } from '../core/context/cache-markers.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import type { HandedContext } from '../core/context/handed-context.ts';
import { isAlive, survivingPlaces, warmTokens } from '../core/context/prefix-state.ts';
import type { PutBack } from '../core/context/thoughts.ts';
import type { Conversation } from '../core/conversation.ts';
import type { Wrapping } from '../core/dialects/unwrap.ts';
import { type Adaptation, reportInto } from '../core/routing/adaptation.ts';
import { keyOf } from '../core/routing/candidate.ts';
import type { CatalogModel } from '../core/routing/catalog.ts';
import { fieldOn } from '../core/routing/field-names.ts';
import { forecast, hasPaused, seenPauses } from '../core/routing/forecast.ts';
import type { Candidate } from '../core/routing/plan.ts';
import { cutRequest, withoutBound } from './handover.ts';
import type { PlannedRequest } from './planned-step.ts';
import type { WireBody } from './ports.ts';
import { prepare } from './prepare.ts';
import type { ProviderSettings } from './settings.ts';
import { thoughtsOn } from './thoughts.ts';
import { writeWireRequest } from './wire-request.ts';

/** What is sent to one candidate. */
export interface PreparedCall {
  candidate: Candidate;
  provider: ProviderSettings;
  conversation: Conversation;
  adapted: Adaptation[];
  /** Stop sequences the gateway cuts at, since the model takes none. */
  gatewayStop: string[];
  /** What has to be taken off the answer again; null where nothing was wrapped. */
  wrapping: Wrapping | null;
  /** The upstream speaks the client's own wire: its frames and fields pass through. */
  relay: boolean;
  body: WireBody;
  headers: Readonly<Record<string, string>>;
  /** What the model is handed in place of the whole conversation; null: the whole. */
  handed: HandedContext | null;
  /** All thinking was left out, since the provider refused it. */
  thinkingRefused: boolean;
  /** Tokens of thinking that were put back into it, and are in nothing the client sent. */
  thinking: number;
}

/** What a request gets besides what its client sent. */
interface CallWishes {
  markers?: MarkerWish;
  /** What the model thought before; null: nothing it thinks is kept. */
  back?: PutBack | null;
  /** What stands in the place of what a cut leaves out. */
  summary?: string | undefined;
  /** No thinking at all: the provider refused it. */
  withoutThinking?: boolean;
}

/** What a step's session knows of a model: for {@link prepareCall}. */
export function wishesFor(planned: PlannedRequest, candidate: Candidate): CallWishes {
  return { markers: wishMarkers(planned, candidate), back: thoughtsOn(planned, candidate) };
}

/** The request as it is sent to a candidate. */
export function prepareCall(
  planned: Pick<PlannedRequest, 'request' | 'settings'> & Partial<Pick<PlannedRequest, 'plan' | 'state'>>,
  candidate: Candidate,
  { markers, back: known, withoutThinking: isUnwelcome = false, summary }: CallWishes = {},
): PreparedCall {
  const { settings, plan, state } = planned;
  const provider = settings.providers.get(candidate.provider);
  if (!provider) throw new RangeError(`provider ${candidate.provider} is not configured`);
  const { model } = candidate;
  const wanted = plan?.handed.get(candidate) ?? null;
  const cut = wanted && cutRequest(planned.request, wanted, model, summary);
  const { request, handed } = cut ?? { request: planned.request, handed: null };
  const sameWire = model.wire === request.wire;
  const free = handed ? request.conversation : thinkable(request.conversation, model, state);
  // What was thought before a cut is bound to what it left out (T16), and none is put back into less than the whole.
  const withoutThinking = isUnwelcome || (handed !== null && isSigned(model));
  const back = handed ? null : known;
  const prepared = prepare(free, model, {
    defaultMaxTokens: settings.defaultMaxTokens,
    isBudgeted: request.reservedUsd !== undefined,
    to: candidate,
    sameWire,
    ...(markers ? { markers } : {}),
    ...(back && !withoutThinking ? { back } : {}),
    withoutThinking,
  });
  if (free !== request.conversation) {
    reportInto(prepared.adapted)({ field: 'messages.thinking', action: 'dropped' });
  }
  const body = writeWireRequest(request, candidate, prepared, { markers, keepsThinking: known != null });
  // What is cut or unwrapped here can't pass through untouched; but only a relay carries several answers.
  const several = request.conversation.output.n > 1;
  const relay = sameWire && prepared.wrapping === null && (prepared.gatewayStop.length === 0 || several);
  return {
    ...{ candidate, provider, relay, handed },
    wrapping: prepared.wrapping,
    thinking: withoutThinking ? 0 : (back?.tokens ?? 0),
    thinkingRefused: isUnwelcome,
    body,
    headers: (sameWire && request.ownHeaders) || {},
    conversation: prepared.conversation,
    gatewayStop: relay ? [] : prepared.gatewayStop,
    adapted: [
      ...prepared.adapted
        .map((change) =>
          relay && several && change.field === 'stop' ? { ...change, action: 'dropped' as const } : change,
        )
        .map((change) => ({ ...change, field: fieldOn(request.wire, change.field) })),
      ...(sameWire
        ? []
        : [...request.unknownFields, ...(request.spareFields ?? [])].map((field) => ({
            field: field.slice(0, 64),
            action: 'dropped' as const,
          }))),
    ],
  };
}

/** Without what an earlier cut has bound to itself. */
function thinkable(
  conversation: Conversation,
  model: CatalogModel,
  state: Partial<PlannedRequest>['state'],
): Conversation {
  const bound = state?.found?.lane.bound;
  return bound && isSigned(model) ? withoutBound(conversation, bound) : conversation;
}

/** What Anthropic's models think is signed with all that stands before it. */
function isSigned({ wire }: CatalogModel): boolean {
  return wire === 'anthropic-messages';
}

/** Where the model's cache was last written, and how long what is written now should live. */
function wishMarkers(
  { request, settings, lane, input: whole, state, plan }: PlannedRequest,
  candidate: Candidate,
): MarkerWish {
  const { model } = candidate;
  const rules = cacheRulesOf(model);
  const at = request.startedAt / 1_000;
  const handed = plan.handed.get(candidate);
  const { input, parts } = handed ?? { input: whole, parts: lane.parts };
  // What a cut left stands at other places than the whole.
  const places = survivingPlaces(lane.prefixes[keyOf(candidate)], rules, parts);
  const wantsLong = (): boolean => {
    const thinking = handed ? 0 : (lane.thinking?.[keyOf(candidate)] ?? 0);
    const tokens = tokensOn(model, input).total + thinking;
    const prompt = { tokens, blocks: input.blocks, at, trailing: true };
    const warm = warmTokens(places, rules, prompt);
    const lasting = places.filter(({ lifetimeSeconds }) => lifetimeSeconds > rules.default.seconds);
    const kept = warmTokens(lasting, rules, prompt);
    const provider = settings.providers.get(candidate.provider);
    const prices = provider
      ? pricesOf(provider, candidate.name, new Date(request.startedAt).toISOString(), tokens)
      : null;
    const rhythm = { ...forecast(lane), pauses: seenPauses(lane) };
    return paysForLong(rules, prices, { tokens, warm, kept }, rhythm);
  };
  const alive = places.filter((place) => isAlive(place, at) && place.blocks <= input.blocks);
  return {
    known: alive.sort((a, b) => b.tokens - a.tokens).map(({ blocks }) => blocks),
    key: state.object && state.digest ? state.digest(`cache ${state.object}`) : undefined,
    // Only where pauses were seen, and no further look at others: a forecast takes longer than all else here.
    long: lane.number > 1 && rules.long !== null && hasPaused(lane) && wantsLong(),
  };
}
