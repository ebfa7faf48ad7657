import { type Block, type Conversation, isTextDocument } from '../conversation.ts';
import type { Candidate } from '../routing/candidate.ts';
import { type PricedProvider, priceListOf } from './price-book.ts';
import { mostServiceFactor } from './service-tiers.ts';
import { TOKEN_CLASSES } from './usage.ts';

/** What a step may take, before it is planned: bounds, not estimates. */
export interface StepBound {
  /** No token of text is shorter than a byte. */
  inputBytes: number;
  /** Images: their bytes bound nothing, for one of a single colour is large in tokens and small in bytes. */
  images: number;
  /** It holds what has tokens no byte bounds (a PDF, an address, a tool of the provider's): up to the model's window. */
  isOpen: boolean;
  /** `max_tokens`, or what counts where the client names none. */
  maxTokens: number;
  /** Answers wanted (`n`). */
  answers: number;
  /** The tier of service that was asked for: some multiply prices. */
  serviceTier?: string | undefined;
  /** UTC day or time, for prices that change. */
  at: string;
}

/** What providers put around a request of their own: the system prompt of tool use is 290–810 tokens (Anthropic's pricing page). */
const AROUND = 1_000;
/** Of what is only guessed: characters a token, tokens of an image, tokens of an answer. */
const LIKELY = { bytes: 4, image: 1_500, output: 1_000 };
/** An image at the highest resolution: Anthropic some 4,800, OpenAI 10,000 patches at detail `original` (their vision guides). */
const MOST_IMAGE = 10_000;

/** USD. */
export interface CostBound {
  most: number;
  /** What it probably costs, rather too much: what counts where it is never heard. */
  likely: number;
}

/**
 * What a step can cost at most, in USD, whatever its plan will be: each tier tried once, on the dearest model there, all
 * input at the dearest class a byte a token, and all output that may come.
 *
 * @param models those that the step may go to; their tiers tell how many attempts there can be
 * @returns `unpriced`: one that has no price, so that nothing bounds it (T42)
 */
export function costBound(
  models: readonly Candidate[],
  providers: ReadonlyMap<string, PricedProvider>,
  bound: StepBound,
): CostBound | { unpriced: Candidate } {
  let most = 0;
  let likely = 0;
  for (const candidate of models) {
    const { model } = candidate;
    const provider = providers.get(candidate.provider);
    const list = provider ? priceListOf(provider, candidate.name, bound.at) : null;
    if (!list) return { unpriced: candidate };
    const window = model.maxInput ?? model.contextWindow;
    const read = bound.inputBytes + AROUND + bound.images * MOST_IMAGE;
    const input = bound.isOpen ? window : Math.min(window, read);
    const output = Math.min(bound.maxTokens, model.maxOutput) * bound.answers;
    const factor = mostServiceFactor(model.kind, bound.serviceTier) / 1e6;
    const likelyInput = Math.min(input, bound.inputBytes / LIKELY.bytes + bound.images * LIKELY.image);
    const likelyOutput = Math.min(output, LIKELY.output * bound.answers);
    for (const { above, prices } of list) {
      // A step of the price list that no prompt of so many tokens reaches.
      if (above >= input && above > 0) continue;
      const dearestInput = Math.max(
        ...TOKEN_CLASSES.filter((name) => name !== 'output').map((name) => prices[name] ?? 0),
      );
      const outputPrice = prices.output ?? 0;
      most = Math.max(most, factor * (input * dearestInput + output * outputPrice));
      likely = Math.max(likely, factor * (likelyInput * dearestInput + likelyOutput * outputPrice));
    }
  }
  const attempts = new Set(models.map(({ tier }) => tier)).size;
  return { most: most * Math.max(1, attempts), likely };
}

/** What of a conversation its bytes don't bound. */
export function unboundedIn({ messages }: Conversation): Pick<StepBound, 'images' | 'isOpen'> {
  const found = { images: 0, isOpen: false };
  const look = (block: Block): void => {
    if (block.type === 'tool_result') block.content.forEach(look);
    if (block.type === 'image') found.images += 1;
    if (block.type === 'foreign' || (block.type === 'document' && !isTextDocument(block))) {
      found.isOpen = true;
    }
  };
  for (const { content } of messages) content.forEach(look);
  return found;
}
