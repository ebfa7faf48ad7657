import type { ToolLoop } from './loop.ts';
import type { Reading } from './reading.ts';

/** The seven families of signals and the features in each; a feature is a number from 0 to 1. */
export const FEATURES = {
  /** size: how much is said; terse: a dozen words or fewer. */
  length: ['size', 'terse'],
  /**
   * deliberate: proof, comparison, causes; compose: text work; narrate: a case or story; negate; plain:
   * short words, as in cases to be thought through, where long ones are terms to be known.
   */
  reasoning: ['deliberate', 'compose', 'narrate', 'negate', 'plain'],
  /** numbers; quantity: what word problems speak of; formal: named mathematics; notation: formulas. */
  math: ['numbers', 'quantity', 'formal', 'notation'],
  /** topic: speaks of programs; source: holds code; intricate: parts far apart act on each other. */
  code: ['topic', 'source', 'intricate'],
  /** fact, errand, chat: one thing to know, to do, to answer; question: short and direct; science: terms. */
  lookup: ['fact', 'errand', 'chat', 'question', 'science'],
  /** demands: how much is wanted at once; clauses; items: a list. */
  constraints: ['demands', 'clauses', 'items'],
  /** deep: many rounds of tools; failing: rounds failed in a row; stuck: the same call again. */
  loop: ['deep', 'failing', 'stuck'],
} as const;

export type SignalName = keyof typeof FEATURES;
export const SIGNALS = Object.keys(FEATURES) as SignalName[]; // keys of a literal object: exactly its names

/** A number for each feature. */
export type Features = { [S in SignalName]: Record<(typeof FEATURES)[S][number], number> };

/**
 * Words at which keywords count in full. A dozen keywords and nothing else is no task (T7): below it they count in
 * proportion.
 */
const SUBSTANCE = 14;

/** The features of a turn and of the tool loop it is in. Linear in the text, which {@link Reading} has bounded. */
export function featuresOf(reading: Reading, loop: ToolLoop | null): Features {
  const { kinds, words } = reading;
  const substance = Math.min(1, words / SUBSTANCE);
  // Long texts hold a few words of any kind by chance, so more are needed to say as much.
  const needed = 1 + words / 120;
  const some = (count: number, full: number): number => Math.min(1, count / (full * needed));
  const keyed = (count: number, full: number): number => substance * some(count, full);
  const grown = (count: number, full: number): number => Math.min(1, Math.log1p(count) / Math.log1p(full));
  return {
    length: {
      size: Math.min(1, Math.log1p(words) / Math.log(2_000)),
      terse: words === 0 ? 0 : Math.max(0, 1 - words / 13),
    },
    reasoning: {
      deliberate: keyed(kinds.deliberate, 2),
      compose: some(kinds.compose, 1),
      narrate: substance * grown(kinds.narrate, 20),
      negate: substance * grown(kinds.negate, 6),
      plain: substance * Math.max(0, Math.min(1, (7.5 - reading.characters / Math.max(1, words)) / 3)),
    },
    math: {
      numbers: Math.min(1, Math.log1p(reading.numbers) / Math.log(16)),
      quantity: substance * grown(kinds.quantity, 10),
      formal: keyed(kinds.formal, 2),
      notation: Math.min(1, reading.operators / (4 * needed)),
    },
    code: {
      topic: some(kinds.code, 2),
      source: Math.min(1, (reading.symbols + 2 * reading.identifiers) / (10 * needed)),
      intricate: keyed(kinds.intricate, 2),
    },
    lookup: {
      fact: some(kinds.fact, 1),
      errand: some(kinds.errand, 2),
      chat: some(kinds.chat, 1) * Math.max(0, 1 - words / 30),
      question: asksPlainly(reading) ? Math.max(0, 1 - words / 40) : 0,
      science: substance * grown(kinds.science, 3),
    },
    constraints: {
      demands: substance * grown(kinds.demand, 6),
      clauses: grown(reading.commas, 30),
      items: Math.min(1, reading.items / 6),
    },
    loop: {
      deep: loop ? Math.min(1, Math.max(0, loop.rounds - 4) / 16) : 0,
      failing: loop ? Math.min(1, loop.failures / 3) : 0,
      stuck: loop?.repeated ? 1 : 0,
    },
  };
}

/**
 * Whether a turn says anything about its difficulty (T4). Its length alone does, if it is long; small words and a
 * single number do not.
 */
export function isTelling(features: Features, reading: Reading): boolean {
  if (reading.words > TELLING_WORDS || reading.options >= 3) return true;
  const { reasoning, math, code, lookup, constraints } = features;
  const told =
    reasoning.deliberate + reasoning.compose + math.quantity + math.formal + math.notation + code.topic + code.intricate +
    lookup.fact + lookup.errand + lookup.chat + lookup.question + lookup.science + constraints.items;
  return told >= 0.15 || (code.source >= 0.5 && reading.symbols > 3);
}

const TELLING_WORDS = 60;

const OPENINGS = new Set(
  'what whats what’s who whos when where which how is are was were does do did can could'.split(' ').concat("what's", "who's"),
);

/** One short question that opens as one: "What time is it in Madrid?" */
function asksPlainly(reading: Reading): boolean {
  return OPENINGS.has(reading.opening) && reading.questionMarks === 1 && reading.sentences <= 2 && reading.words <= 24;
}
