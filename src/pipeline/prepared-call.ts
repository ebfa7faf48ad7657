import { tokensOn } from '../core/accounting/estimate.ts';
import { pricesOf } from '../core/accounting/price-book.ts';
import { type MarkerWish, paysForLong } from '../core/context/cache-markers.ts';
import { cacheRulesOf } from '../core/context/cache-rules.ts';
import { isAlive, survivingPlaces, warmTokens } from '../core/context/prefix-state.ts';
import type { PutBack } from '../core/context/thoughts.ts';
import type { Conversation } from '../core/conversation.ts';
import type { Wrapping } from '../core/dialects/unwrap.ts';
import type { Adaptation } from '../core/routing/adaptation.ts';
import { keyOf } from '../core/routing/candidate.ts';
import { fieldOn } from '../core/routing/field-names.ts';
import { forecast, seenPauses } from '../core/routing/forecast.ts';
import type { Candidate } from '../core/routing/plan.ts';
import type { PlannedRequest } from './planned-step.ts';
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
  body: string;
  headers: Readonly<Record<string, string>>;
  /** Tokens of thinking that were put back into it, and are in nothing the client sent. */
  thinking: number;
}

/** What a request gets besides what its client sent. */
interface CallWishes {
  markers?: MarkerWish;
  /** What the model thought before; null: nothing it thinks is kept. */
  back?: PutBack | null;
  /** No thinking at all: the provider refused it. */
  withoutThinking?: boolean;
}

/** What a step's session knows of a model: for {@link prepareCall}. */
export function wishesFor(planned: PlannedRequest, candidate: Candidate): CallWishes {
  return { markers: wishMarkers(planned, candidate), back: thoughtsOn(planned, candidate) };
}

/** The request as it is sent to a candidate. */
export function prepareCall(
  { request, settings }: Pick<PlannedRequest, 'request' | 'settings'>,
  candidate: Candidate,
  { markers, back, withoutThinking = false }: CallWishes = {},
): PreparedCall {
  const provider = settings.providers.get(candidate.provider);
  if (!provider) throw new RangeError(`provider ${candidate.provider} is not configured`);
  const sameWire = candidate.model.wire === request.wire;
  const prepared = prepare(request.conversation, candidate.model, {
    defaultMaxTokens: settings.defaultMaxTokens,
    isBudgeted: request.reservedUsd !== undefined,
    to: candidate,
    sameWire,
    ...(markers ? { markers } : {}),
    ...(back && !withoutThinking ? { back } : {}),
    withoutThinking,
  });
  const body = writeWireRequest(request, candidate, prepared, { markers, keepsThinking: back != null });
  // What is cut or unwrapped here can't pass through untouched; but only a relay carries several answers.
  const several = request.conversation.output.n > 1;
  const relay = sameWire && prepared.wrapping === null && (prepared.gatewayStop.length === 0 || several);
  return {
    candidate,
    provider,
    relay,
    wrapping: prepared.wrapping,
    thinking: withoutThinking ? 0 : (back?.tokens ?? 0),
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

/** Where the model's cache was last written, and how long what is written now should live. */
function wishMarkers(
  { request, settings, lane, input, state }: PlannedRequest,
  candidate: Candidate,
): MarkerWish {
  const { model } = candidate;
  const rules = cacheRulesOf(model);
  const at = request.startedAt / 1_000;
  const places = survivingPlaces(lane.prefixes[keyOf(candidate)], rules, lane.parts);
  const tokens = tokensOn(model, input).total + (lane.thinking?.[keyOf(candidate)] ?? 0);
  const prompt = { tokens, blocks: input.blocks, at, trailing: true };
  const warm = warmTokens(places, rules, prompt);
  const lasting = places.filter(({ lifetimeSeconds }) => lifetimeSeconds > rules.default.seconds);
  const kept = warmTokens(lasting, rules, prompt);
  const provider = settings.providers.get(candidate.provider);
  const prices = provider
    ? pricesOf(provider, candidate.name, new Date(request.startedAt).toISOString(), tokens)
    : null;
  const alive = places.filter((place) => isAlive(place, at) && place.blocks <= input.blocks);
  return {
    known: alive.sort((a, b) => b.tokens - a.tokens).map(({ blocks }) => blocks),
    key: state.object && state.digest ? state.digest(`cache ${state.object}`) : undefined,
    long:
      lane.number > 1 &&
      paysForLong(rules, prices, { tokens, warm, kept }, { ...forecast(lane), pauses: seenPauses(lane) }),
  };
}
