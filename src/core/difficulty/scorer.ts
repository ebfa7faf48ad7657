import type { Conversation } from '../conversation.ts';
import type { Tier } from '../routing/tier.ts';
import { type Ask, earlierAsks, findAsk } from './ask.ts';
import { type Housekeeping, housekeepingOf } from './housekeeping.ts';
import { openLoop, type ToolLoop } from './loop.ts';
import { PRIOR } from './prior.ts';
import type { ScorerProfile } from './profile.ts';
import { read } from './reading.ts';
import { FEATURES, type Features, featuresOf, isTelling, SIGNALS, type SignalName } from './signals.ts';

/** How hard a step is, and why. */
export interface Difficulty {
  /** 0 to 1: the chance, as far as the profile knows, that a small model fails the step where a large one does not. */
  score: number;
  label: Tier;
  /** Nothing in the step tells (T4): the label is then `medium`, and the score is kept within it. */
  unknown: boolean;
  /** Log-odds that each family of signals adds (above zero: harder) or takes. */
  signals: Record<SignalName, number>;
  /** A harness's own call, whatever its text (T9). */
  housekeeping: Housekeeping | null;
}

/** A turn, scored. */
interface Scored {
  logit: number;
  signals: Record<SignalName, number>;
  telling: boolean;
  /** A plain question that stands by itself. */
  plain: boolean;
}

/**
 * How hard the next step of a conversation is: the user's real ask and the state of the tool loop it is in. System
 * prompt, tools offered, assistant text and the content of tool results add nothing. Pure; linear in the length of
 * the last user turn, of which at most 6,000 characters are scored.
 *
 * @example
 * classify(conversation).label; // 'easy' for "What is the capital of France?"
 */
export function classify(conversation: Conversation, profile: ScorerProfile = PRIOR): Difficulty {
  const { messages } = conversation;
  const ask = findAsk(messages);
  const loop = openLoop(messages, ask.at);
  const scored = meant(conversation, ask, loop, profile);
  const housekeeping = housekeepingOf(conversation);
  const score = 1 / (1 + Math.exp(-scored.logit));
  if (!scored.telling) {
    const { easy, hard } = profile.thresholds;
    return {
      score: Math.max(easy, Math.min(hard, score)),
      label: 'medium',
      unknown: true,
      signals: scored.signals,
      housekeeping,
    };
  }
  return { score, label: labelOf(score, profile), unknown: false, signals: scored.signals, housekeeping };
}

/** Where a score lies among the profile's thresholds. */
export function labelOf(score: number, { thresholds }: ScorerProfile): Tier {
  if (score < thresholds.easy) return 'easy';
  return score < thresholds.hard ? 'medium' : 'hard';
}

/** The turn scored as what it means: a referential one, or a reply without signals, as the ask it carries on (T5). */
function meant(conversation: Conversation, ask: Ask, loop: ToolLoop | null, profile: ScorerProfile): Scored {
  const own = scoreTurn(ask.text, loop, profile);
  const carriesOn = ask.referential || (!own.telling && (ask.reply || ask.interjected));
  if (carriesOn) return scoreEarlier(conversation, ask, loop, profile) ?? { ...own, telling: false };
  // A word thrown into an unfinished task only adds to it, unless it is a plain question of its own (T3).
  if (ask.interjected && !own.plain) {
    const before = scoreEarlier(conversation, ask, loop, profile);
    if (before && before.logit > own.logit) return before;
  }
  return own;
}

/** The nearest of the earlier asks that tells anything. */
function scoreEarlier(
  conversation: Conversation,
  ask: Ask,
  loop: ToolLoop | null,
  profile: ScorerProfile,
): Scored | null {
  for (const text of earlierAsks(conversation.messages, ask.at)) {
    const scored = scoreTurn(text, loop, profile);
    if (scored.telling) return scored;
  }
  return null;
}

function scoreTurn(text: string, loop: ToolLoop | null, profile: ScorerProfile): Scored {
  const reading = read(text);
  const features = featuresOf(reading, loop);
  const signals = contributions(features, profile);
  let logit = profile.bias;
  for (const name of SIGNALS) logit += signals[name];
  return { logit, signals, telling: isTelling(reading), plain: features.lookup.question > 0 };
}

function contributions(features: Features, profile: ScorerProfile): Record<SignalName, number> {
  const signals: Record<SignalName, number> = {
    length: 0,
    reasoning: 0,
    math: 0,
    code: 0,
    lookup: 0,
    constraints: 0,
    loop: 0,
  };
  for (const family of SIGNALS) {
    // The same names in both, by their types; the compiler loses the link between family and feature.
    const values = features[family] as Record<string, number>;
    const weights = profile.weights[family] as Record<string, number>;
    let sum = 0;
    for (const name of FEATURES[family]) sum += (values[name] ?? 0) * (weights[name] ?? 0);
    signals[family] = Math.max(-profile.limit, Math.min(profile.limit, sum));
  }
  return signals;
}
