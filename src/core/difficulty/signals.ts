import type { ToolLoop } from './loop.ts';
import { ENOUGH, type Reading } from './reading.ts';

/** The seven families of signals and the features in each; a feature is a number from 0 to 1. */
export const FEATURES = {
  /** size: how much is said; terse: a dozen words or fewer, and none that asks for work. */
  length: ['size', 'terse'],
  /**
   * deliberate: told to prove, compare, find causes; rigor: speaks of proof and the like; compose: text work; narrate: a
   * case or story; negate; plain: short words, as in cases to be thought through, where long ones are terms to be known.
   */
  reasoning: ['deliberate', 'rigor', 'compose', 'narrate', 'negate', 'plain'],
  /** numbers; quantity: what word problems speak of; formal: named mathematics; notation: formulas. */
  math: ['numbers', 'quantity', 'formal', 'notation'],
  /** topic: speaks of programs; build: told to work on one; source: holds code; intricate: far parts act on each other. */
  code: ['topic', 'build', 'source', 'intricate'],
  /** fact, errand, desk, chat: one thing to know, to do, to handle, to answer; question: short and direct; science: terms. */
  lookup: ['fact', 'errand', 'desk', 'chat', 'question', 'science'],
  /** demands: how much is wanted at once; clauses; items: a list. */
  constraints: ['demands', 'clauses', 'items'],
  /** deep: many rounds of tools; failing: rounds failed in a row; stuck: the same call again. */
  loop: ['deep', 'failing', 'stuck'],
} as const;

export type SignalName = keyof typeof FEATURES;
export const SIGNALS = Object.keys(FEATURES) as SignalName[]; // keys of a literal object: exactly its names

/** A number for each feature. */
export type Features = { [S in SignalName]: Record<(typeof FEATURES)[S][number], number> };

/** The features of a turn and of the tool loop it is in. Linear in the text, which {@link Reading} has bounded. */
export function featuresOf(reading: Reading, loop: ToolLoop | null): Features {
  const { kinds, words } = reading;
  // A list of keywords is no task: they count as far as there is something they are about (T7).
  const substance = reading.substance / ENOUGH;
  // Long texts hold a few words of any kind by chance, so more are needed to say as much.
  const needed = 1 + words / 120;
  const some = (count: number, full: number): number => Math.min(1, count / (full * needed));
  const keyed = (count: number, full: number): number => substance * some(count, full);
  const grown = (count: number, full: number): number => Math.min(1, Math.log1p(count) / Math.log1p(full));
  // An errand is short: in a long text the same words are part of a story.
  const short = (most: number): number => Math.max(0, 1 - words / most);
  // Text work brings its material along, whose words and length are not the ask's.
  const own = reading.textWork ? Math.min(1, 60 / words) : 1;
  const harder =
    kinds.deliberate + kinds.rigor + kinds.build + kinds.formal + kinds.intricate + kinds.compose > 0;
  const topic = some(kinds.code, 2);
  const deliberate = keyed(kinds.deliberate, 2);
  const formal = keyed(kinds.formal, 2);
  const intricate = keyed(kinds.intricate, 2);
  return {
    length: {
      size: Math.min(1, Math.log1p(words * own) / Math.log(400)),
      terse: harder || words === 0 ? 0 : short(13),
    },
    reasoning: {
      deliberate,
      rigor: keyed(kinds.rigor, 2),
      compose: some(kinds.compose, 1),
      narrate: own * substance * grown(kinds.narrate, 20),
      negate: own * substance * grown(kinds.negate, 6),
      plain:
        Math.min(1, (words * own) / 50) *
        Math.max(0, Math.min(1, (7.5 - reading.characters / Math.max(1, words)) / 3)),
    },
    math: {
      numbers: Math.min(1, Math.log1p(reading.numbers) / Math.log(16)),
      quantity: substance * grown(kinds.quantity, 10),
      formal,
      notation: Math.min(1, reading.operators / (4 * needed)),
    },
    code: {
      topic,
      build: topic * some(kinds.build, 1),
      source: Math.min(1, (reading.symbols + 2 * reading.identifiers) / (10 * needed)),
      intricate,
    },
    lookup: {
      fact: some(kinds.fact, 1),
      // "Show that …" is none.
      errand: short(60) * some(kinds.errand, 1) * (1 - Math.max(deliberate, formal, intricate, topic)),
      desk: short(60) * some(kinds.desk, 2),
      chat: short(30) * some(kinds.chat, 1),
      question: asksPlainly(reading) ? short(25) : 0,
      science: substance * grown(kinds.science, 3),
    },
    constraints: {
      demands: own * substance * grown(kinds.demand, 6),
      clauses: own * grown(reading.commas, 30),
      items: Math.min(1, reading.items / 6),
    },
    loop: {
      deep: loop ? Math.min(1, Math.max(0, loop.rounds - 4) / 16) : 0,
      failing: loop ? Math.min(1, loop.failures / 3) : 0,
      stuck: loop?.repeated ? 1 : 0,
    },
  };
}

/** Kinds of which one word tells what is wanted; the others are in any text. */
const TELLING_KINDS = [
  'deliberate',
  'rigor',
  'compose',
  'build',
  'formal',
  'code',
  'intricate',
  'fact',
  'errand',
  'desk',
  'chat',
  'science',
] as const;

/** Words from which length alone tells. */
const TELLING_WORDS = 60;

/** Whether a turn says anything about its difficulty (T4). Small words and a number do not. */
export function isTelling(reading: Reading): boolean {
  const { kinds, words, options, items, operators, symbols, numbers } = reading;
  return (
    words > TELLING_WORDS ||
    options >= 3 ||
    items >= 2 ||
    symbols >= 5 ||
    (operators > 0 && numbers > 0) ||
    (kinds.quantity > 0 && numbers > 1) ||
    asksPlainly(reading) ||
    TELLING_KINDS.some((kind) => kinds[kind] > 0)
  );
}

const OPENINGS = new Set(
  'what whats what’s who whos when where which how is are was were does do did can could'
    .split(' ')
    .concat("what's", "who's"),
);

/** One short question that opens as one: "What time is it in Madrid?" */
function asksPlainly(reading: Reading): boolean {
  return (
    OPENINGS.has(reading.opening) &&
    reading.questionMarks === 1 &&
    reading.sentences <= 2 &&
    reading.words <= 24
  );
}
