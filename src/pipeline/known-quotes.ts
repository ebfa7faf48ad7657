import type { InputSize } from '../core/accounting/estimate.ts';
import { COLD } from '../core/context/prefix-state.ts';
import { NO_EXPERIENCE } from '../core/routing/experience.ts';
import type { LaneView } from '../core/routing/lane-view.ts';
import { type Quote, type Quoting, quoteStep } from '../core/routing/quotes.ts';

/** Of some 500 bytes each. */
const MOST_KNOWN = 2_000;
/** Sizes a doubling: each within 1 % of the next, which is noise between totals too (MARGIN in core/routing/plan.ts). */
const SIZES = 64;

const known = new Map<string, Quote[]>();
const numbers = new WeakMap<object, number>();
let lastNumber = 0;

/**
 * Quotes for live steps. Where nothing is known of a lane but its length, all that they depend on is the step's size,
 * to a hundredth: then they are made once for each size, since to look ahead costs more than all else that is thought
 * about a small step.
 */
export const quoteOnce: Quoting = (candidates, others, input, isLast) => {
  if (input.handed || !isUnknown(input.lane)) return quoteStep(candidates, others, input, isLast);
  const { total } = input.input;
  const step = Math.round(Math.log2(1 + total.text) * SIZES);
  // Prices, models and experience are those of these very objects, which a new version of them replaces.
  let name = `${numberOf(input.providers)},${numberOf(input.lane.customers)}`;
  for (const one of candidates) name += `,${numberOf(one)}`;
  name += ',';
  for (const one of others) name += `,${numberOf(one)}`;
  name += `,${input.floor},${isLast},${input.lane.number},${step},${total.images},${total.smallImages}`;
  // Prices change from one day to the next.
  name += `,${Math.floor(input.at / 86_400_000)}`;
  let quotes = known.get(name);
  if (!quotes) {
    const text = 2 ** (step / SIZES) - 1;
    const size: InputSize = { ...input.input, total: { ...total, text } };
    quotes = quoteStep(candidates, others, { ...input, input: size }, isLast);
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(name, quotes);
  }
  return quotes;
};

/** No cache holds anything of it, and no step of it was seen. */
function isUnknown({ prefixes, experience }: LaneView): boolean {
  return prefixes === COLD && experience === NO_EXPERIENCE;
}

/** Instead of a name, which two versions of the settings may share. */
function numberOf(one: object): number {
  let number = numbers.get(one);
  if (number === undefined) {
    lastNumber += 1;
    number = lastNumber;
    numbers.set(one, number);
  }
  return number;
}
