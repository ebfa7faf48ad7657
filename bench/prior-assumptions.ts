import { FEATURES, SIGNALS } from '../src/core/difficulty/signals.ts';

/** What a weight is taken to be before any data, how sure of it we are (standard deviation), and the sign it keeps. */
export interface Assumption {
  weight: number;
  spread: number;
  sign: '+' | '-' | 'any';
}

const harder = (weight: number, spread = 0.5): Assumption => ({ weight, spread, sign: '+' });
const easier = (weight: number, spread = 0.5): Assumption => ({ weight: -weight, spread, sign: '-' });

/** The loop's weights stay as assumed: no labelled data holds loops. */
const ASSUMED: { [S in keyof typeof FEATURES]: Record<(typeof FEATURES)[S][number], Assumption> } = {
  length: { size: harder(0.6, 0.3), terse: easier(0.4, 0.15) },
  reasoning: {
    deliberate: harder(1),
    rigor: harder(1),
    compose: harder(0.4),
    narrate: harder(0.3),
    negate: harder(0.4),
    plain: harder(0.3),
  },
  math: { numbers: harder(0.2), quantity: harder(0.3), formal: harder(0.8), notation: harder(0.3) },
  code: { topic: harder(0.3), build: harder(0.4, 0.2), source: harder(0.3), intricate: harder(1.3, 0.15) },
  lookup: {
    fact: easier(0.5),
    errand: easier(0.8),
    desk: easier(0.5),
    chat: easier(1),
    question: easier(0.8),
    science: { weight: 0, spread: 0.3, sign: 'any' },
  },
  constraints: { demands: harder(0.5), clauses: harder(0.3), items: harder(0.4) },
  loop: { deep: harder(0.5), failing: harder(0.8), stuck: harder(0.6) },
};

/** Family and name of each weight, in the order of {@link ASSUMPTIONS}. */
export const NAMES: [string, string][] = SIGNALS.flatMap((family) =>
  FEATURES[family].map((name): [string, string] => [family, name]),
);

export const ASSUMPTIONS: Assumption[] = SIGNALS.flatMap((family) => {
  const assumed = ASSUMED[family] as Record<string, Assumption>; // its keys are the family's names
  return FEATURES[family].flatMap((name) => assumed[name] ?? []);
});
