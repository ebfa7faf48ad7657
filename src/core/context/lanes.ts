import type { Usage } from '../accounting/usage.ts';
import type { Candidate } from '../routing/candidate.ts';
import { type Experience, type LivedStep, NO_EXPERIENCE, withStep } from '../routing/experience.ts';
import type { LastAnswer } from '../routing/failure-signals.ts';
import type { CacheRules } from './cache-rules.ts';
import {
  assume,
  COLD,
  MARKED,
  observe,
  type PrefixState,
  type SentPrompt,
  type WarmPlace,
  type WarmPrefix,
} from './prefix-state.ts';
import { type Thinkers, thinkersOf, withThinker } from './thinkers.ts';

/**
 * One growing conversation of a session, as its session keeps it: plain data. It is known by hashes of what was sent
 * (`lane-chain.ts`), never by the words.
 */
export interface Lane {
  id: string;
  /** The hash of all that its last request sent. */
  sent: string;
  /** The same with the answer to it; null where there was none. */
  answered: string | null;
  /** Steps that were answered, those among them that the conversation itself tells. */
  steps: number;
  /** The model that answered last. */
  served: Pick<Candidate, 'provider' | 'name'> | null;
  /** What the models' caches hold of it. */
  prefixes: PrefixState;
  experience: Experience;
  before: LivedStep | null;
  /** What no wire sends back of its last answer. */
  last: LastAnswer | null;
  /** The answers made without its middle; absent: none was. */
  bound?: Bound | undefined;
  /** Lengths it had, the shortest first: where an edited history, or another lane, may find something warm. */
  marks: readonly Mark[];
  /** Who thought for its answers; absent: for none. */
  thinkers?: Thinkers;
  /** Milliseconds since the epoch. */
  usedAt: number;
}

/** The lengths of the first and the last request that was sent without the lane's middle. */
export interface Bound {
  first: number;
  last: number;
}

/** A length of a lane that a cache was written at. */
export interface Mark {
  hash: string;
  blocks: number;
  /** Tokens up to it, as each model counts them, by `provider/model`. */
  tokens: Readonly<Record<string, number>>;
}

/** What the lanes of a session are searched by. */
export interface LaneQuestion {
  /** A hash for every length of the conversation that is sent. */
  chain: readonly string[];
  /** Milliseconds since the epoch. */
  at: number;
}

/** A lane a step goes on with, or the beginnings of one it opens. */
export interface FoundLane {
  lane: Lane;
  /** What `lane.sent` has to be still for the step to keep the lane; null where the step opens one. */
  base: string | null;
}

/** More are not kept: the oldest goes (contract.md). */
export const MOST_LANES = 256;
/** Lengths a lane remembers; an edit mostly goes back a few steps. */
const MOST_MARKS = 12;

/**
 * The lane whose chain is a prefix of the step's own, the longest first; of two alike the one whose answer comes back.
 * Else a new one, with what the caches hold of the longest beginning that it shares with any lane: at least of tools
 * and system, which its parts will tell.
 * @param newId an id nobody has
 */
export function findLane(lanes: readonly Lane[], question: LaneQuestion, newId: () => string): FoundLane {
  const places = new Map(question.chain.map((hash, index) => [hash, index]));
  let best: { lane: Lane; rank: number } | null = null;
  let shared: { lane: Lane; mark: Mark; place: number } | null = null;
  for (const lane of lanes) {
    // An answer counts half a message more than the request it answers.
    const answered = lane.answered === null ? undefined : places.get(lane.answered);
    const rank = answered === undefined ? places.get(lane.sent) : answered + 0.5;
    if (rank !== undefined && (best === null || rank > best.rank)) best = { lane, rank };
    for (const mark of lane.marks) {
      const place = places.get(mark.hash);
      if (place !== undefined && (shared === null || place > shared.place || isNewer(lane, place, shared))) {
        shared = { lane, mark, place };
      }
    }
  }
  if (best) return { lane: best.lane, base: best.lane.sent };
  const prefixes = shared ? warmAt(shared.lane, shared.mark) : warmHeads(lanes);
  const thinkers = thinkersOf(
    lanes.flatMap((lane) => (lane.thinkers ? [lane.thinkers] : [])),
    places,
  );
  const bound = boundOf(lanes, places);
  const opened = openLane(newId(), question.at, prefixes);
  return { lane: { ...opened, ...thinkersIn(thinkers), ...(bound ? { bound } : {}) }, base: null };
}

/** What any lane that shares a beginning was sent without its middle: too much of it costs thinking, too little a refusal. */
function boundOf(lanes: readonly Lane[], places: ReadonlyMap<string, number>): Bound | undefined {
  const shared = lanes.flatMap(({ bound, marks, thinkers = [] }) => {
    const hashes = [...marks.map(({ hash }) => hash), ...thinkers.flatMap(({ at }) => at)];
    return bound && hashes.some((hash) => places.has(hash)) ? [bound] : [];
  });
  if (shared.length === 0) return undefined;
  return {
    first: Math.min(...shared.map(({ first }) => first)),
    last: Math.max(...shared.map(({ last }) => last)),
  };
}

function thinkersIn(thinkers: Thinkers): Pick<Lane, 'thinkers'> {
  return thinkers.length > 0 ? { thinkers } : {};
}

function isNewer(lane: Lane, place: number, other: { lane: Lane; place: number }): boolean {
  return place === other.place && lane.usedAt > other.lane.usedAt;
}

/** A lane before its first step. */
export function openLane(id: string, at: number, prefixes: PrefixState = COLD): Lane {
  return {
    ...{ id, sent: '', answered: null, steps: 0, served: null, prefixes },
    ...{ experience: NO_EXPERIENCE, before: null, last: null, marks: [], usedAt: at },
  };
}

/** What a lane's caches hold up to one of its marks: each later request has read it again. */
function warmAt(lane: Lane, mark: Mark): PrefixState {
  const warm = Object.entries(mark.tokens).flatMap(([key, tokens]) => {
    const latest = lane.prefixes[key]?.find(isWhole);
    if (!latest || tokens <= 0) return [];
    const inner = (latest.inner ?? []).filter((place) => place.tokens < tokens);
    return [[key, [{ ...latest, tokens, blocks: mark.blocks, inner }]] as const];
  });
  return Object.fromEntries(warm);
}

/** What a cut leaves is warm for that cut alone. */
function isWhole({ parts }: Pick<WarmPrefix, 'parts'>): boolean {
  return parts.left_out === undefined;
}

/** What the caches hold before any message, of the lane that used each model last. */
function warmHeads(lanes: readonly Lane[]): PrefixState {
  const heads: Record<string, readonly WarmPrefix[]> = {};
  for (const { prefixes } of lanes) {
    for (const [key, [latest]] of Object.entries(prefixes)) {
      if (!latest || latest.at < (heads[key]?.[0]?.at ?? 0)) continue;
      const head = <P extends WarmPlace>(place: P): P => ({
        ...place,
        tokens: Math.min(place.tokens, latest.before.messages),
        blocks: MARKED,
      });
      if (head(latest).tokens > 0) heads[key] = [{ ...head(latest), inner: (latest.inner ?? []).map(head) }];
    }
  }
  return heads;
}

/** A step of a lane, once it has ended. */
export interface LaneStep extends LivedStep {
  question: LaneQuestion;
  /** The hash with the answer; null where the step had none. */
  answered: string | null;
  last: LastAnswer | null;
  served: Pick<Candidate, 'provider' | 'name'> | null;
  /** The answer was thought for. */
  isThought: boolean;
  /** By whose rules its cache was written, and what it reported; null: nothing was sent, or nothing answered. */
  cache: { key: string; rules: CacheRules; usage: Usage | null; prompt: SentPrompt } | null;
}

/** The lane after a step. A step without an answer changes only what the caches may hold. */
export function advanceLane(lane: Lane, step: LaneStep): Lane {
  const { question, answered, served, cache } = step;
  const sent = question.chain.at(-1) ?? '';
  const prefixes = cache ? prefixesAfter(lane.prefixes, cache) : lane.prefixes;
  // The same request once more, though it had its answer, is no step further.
  const isRetry = sent === lane.sent && lane.answered !== null;
  const lived: LivedStep = {
    ...{ floor: step.floor, tokens: step.tokens, output: step.output, blocks: step.blocks, at: step.at },
    number: step.number,
  };
  const isStep = answered !== null && !isRetry;
  const thinkers = lane.thinkers ?? [];
  return {
    id: lane.id,
    sent,
    answered: answered ?? (isRetry ? lane.answered : null),
    steps: isStep ? step.number : lane.steps,
    served: served ?? lane.served,
    prefixes,
    experience: isStep ? withStep(lane.experience, lived, lane.before) : lane.experience,
    before: isStep ? lived : lane.before,
    last: answered === null ? lane.last : step.last,
    bound: boundAfter(lane.bound, step),
    marks:
      cache && answered !== null && isWhole(cache.prompt)
        ? marksAfter(lane.marks, step, cache, prefixes)
        : lane.marks,
    ...thinkersIn(
      step.isThought && answered !== null && served ? withThinker(thinkers, served, answered) : thinkers,
    ),
    usedAt: question.at,
  };
}

function boundAfter(before: Bound | undefined, { question, answered, cache }: LaneStep): Bound | undefined {
  if (answered === null || !cache || isWhole(cache.prompt)) return before;
  const { length } = question.chain;
  return { first: before?.first ?? length, last: length };
}

function prefixesAfter(
  before: PrefixState,
  { key, rules, usage, prompt }: NonNullable<LaneStep['cache']>,
): PrefixState {
  return usage ? observe(before, key, rules, prompt, usage) : assume(before, key, rules, prompt);
}

function marksAfter(
  marks: readonly Mark[],
  { question, blocks }: LaneStep,
  { key }: NonNullable<LaneStep['cache']>,
  prefixes: PrefixState,
): Mark[] {
  const sent = question.chain.at(-1) ?? '';
  const same = marks.find(({ hash }) => hash === sent);
  const tokens = { ...same?.tokens, [key]: prefixes[key]?.find(isWhole)?.tokens ?? 0 };
  return [...marks.filter((mark) => mark !== same), { hash: sent, blocks, tokens }].slice(-MOST_MARKS);
}

/**
 * Whether a step may write the lane it went on with: nobody else has since, and where it was the same request once
 * more, it got the same answer. Else both go on, and the step's is a lane of its own.
 */
export function keepsLane(current: Lane | undefined, base: FoundLane['base'], next: Lane): boolean {
  if (!current || current.sent !== base) return false;
  const isRetry = current.sent === next.sent;
  return !isRetry || current.answered === null || current.answered === next.answered;
}
