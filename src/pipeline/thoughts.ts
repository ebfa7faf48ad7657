import { leadingSystem, tokensOn } from '../core/accounting/estimate.ts';
import type { CachePart } from '../core/context/cache-parts.ts';
import {
  type KeptThought,
  NOTHING_BACK,
  type PutBack,
  THINKING_SHARE,
  thoughtsFor,
} from '../core/context/thoughts.ts';
import type { ThinkingBlock } from '../core/conversation.ts';
import { isWhole } from '../core/dialects/thinking.ts';
import type { Candidate } from '../core/routing/candidate.ts';
import type { CatalogModel } from '../core/routing/catalog.ts';
import { modelsFor } from './budget.ts';
import type { Served } from './ledger.ts';
import type { AssessedRequest, PlannedRequest, PlannedStep } from './planned-step.ts';
import type { Ports } from './ports.ts';
import { type StepState, soon } from './step-state.ts';

/** Answers whose thoughts are read: the latest so many. The first of them moves once in so many steps, for the caches' sake. */
const MOST_ANSWERS = 256;
const MOVES = 64;
/** Characters of one answer's thoughts: more are not kept, for all of a lane's are read at once (T63). */
const MOST_CHARACTERS = 100_000;
/** Thoughts that are used are kept anew when they are so old, in milliseconds (`sessions/kept-thoughts.ts`). */
const OLD_MS = 12 * 60 * 60 * 1_000;

/**
 * Answers of a step's conversation whose thoughts may be kept, by their hashes: those that call tools. Thinking belongs
 * to the loop it began (T15); what was thought for the end of a turn would be read only once the turn is over.
 * @returns null where the step has no use for any: it has no session, nothing may be kept of it, or every model that
 *   thinks and could take it speaks the client's own wire, in which the client brings thinking itself
 */
export function answersOf(
  { request, settings, state }: AssessedRequest,
  { thoughts }: Pick<Ports, 'thoughts'>,
): string[] | null {
  const { object, question } = state;
  if (!thoughts || object === null || !question || request.ownFields.length > 0) return null;
  const others = modelsFor(request, settings).filter(({ model }) => model.wire !== request.wire);
  if (!others.some(({ model }) => thinks(model))) return null;
  const { messages } = request.conversation;
  const lead = leadingSystem(messages);
  const hashes = question.chain.filter((_, index) => {
    const message = messages[index + lead];
    return message?.role === 'assistant' && message.content.some(({ type }) => type === 'tool_call');
  });
  return hashes.slice(Math.ceil(Math.max(0, hashes.length - MOST_ANSWERS) / MOVES) * MOVES);
}

function thinks({ wire, capabilities: { efforts, thinking } }: CatalogModel): boolean {
  return wire !== 'openai-chat' && (efforts.length > 0 || thinking.length > 0);
}

/**
 * What was thought for these answers. Fails open: a store that is slow or gone costs the caches what stood behind it,
 * and the model what it had thought.
 * @param answers as {@link answersOf} gives them
 */
export async function recallThoughts(
  answers: readonly string[] | null,
  { request, settings, state }: AssessedRequest,
  { thoughts }: Pick<Ports, 'thoughts'>,
): Promise<StepState['thoughts']> {
  if (!thoughts || answers === null || state.object === null) return null;
  if (answers.length === 0) return new Map();
  const waiting = new AbortController();
  const found = await soon(
    thoughts.read({ customer: request.customer, session: state.object }, answers, waiting.signal),
    settings.timeouts.session,
  );
  if (found) return found;
  waiting.abort();
  thoughts.missed();
  return new Map();
}

/** What a model is given back of what it thought in the step's lane; null: none of its thoughts are kept. */
export function thoughtsOn(
  { request, settings, state, needs }: Pick<PlannedRequest, 'request' | 'settings' | 'state' | 'needs'>,
  to: Candidate,
): PutBack | null {
  const { thoughts, question } = state;
  const { model } = to;
  if (!thoughts || !question || model.wire === request.wire) return null;
  if (thoughts.size === 0) return NOTHING_BACK;
  const { messages } = request.conversation;
  const room = Math.min(
    request.rawBody.length * THINKING_SHARE,
    (model.maxInput ?? model.contextWindow) - tokensOn(model, needs.input).total,
  );
  const chained = { messages, lead: leadingSystem(messages), chain: question.chain };
  return thoughtsFor(to, thoughts, chained, bindingOf({ settings, state }, to), room);
}

/**
 * What of a request Claude's thinking is bound to besides what was said (T16), or loses the cache of all messages, so
 * that it costs nothing more to leave the thinking out.
 */
const BOUND_BY: readonly CachePart[] = [
  ...(['tools', 'allowed_tools', 'tool_choice', 'system', 'format', 'thinking', 'effort'] as const),
];

/** The account too: what one has sealed another can't open (T18). */
function bindingOf(
  { settings, state: { digest, parts } }: Pick<PlannedRequest, 'settings' | 'state'>,
  { provider, model }: Pick<Candidate, 'provider' | 'model'>,
): string {
  if (!digest) throw new RangeError('a step whose thoughts are kept has a digest');
  const key = settings.providers.get(provider)?.apiKey ?? '';
  const bound = model.wire === 'anthropic-messages' ? BOUND_BY.map((part) => parts[part] ?? '') : [];
  return digest(JSON.stringify(['thoughts', provider, key, ...bound]));
}

/**
 * Keeps what a model thought for an answer whose client can't send it back, and anew what is used and grows old. In the
 * background: nothing waits for it, and it never fails the request.
 * @param answered the hash of the lane up to the answer
 */
export function keepThoughts(
  { request, settings, state, ports }: PlannedStep,
  { candidate, usage, estimated }: Served,
  thought: readonly ThinkingBlock[],
  answered: string,
): void {
  if (!ports.thoughts || state.thoughts === null || state.object === null) return;
  const now = request.startedAt;
  const keep = new Map<string, KeptThought>();
  for (const [hash, one] of state.thoughts) {
    if (now - one.keptAt > OLD_MS) keep.set(hash, { ...one, keptAt: now });
  }
  const { wire } = candidate.model;
  const raw = wire === request.wire ? [] : thought.filter(isWhole).map((block) => block.raw);
  const characters = JSON.stringify(raw).length;
  if (raw.length > 0 && wire !== 'openai-chat' && characters <= MOST_CHARACTERS) {
    keep.set(answered, {
      producer: { provider: candidate.provider, name: candidate.name },
      ...{ wire, raw, bound: bindingOf({ settings, state }, candidate), keptAt: now, madeAt: now },
      // At most: all that came, and no token is shorter than a character.
      tokens: usage.thinking ?? Math.min(characters, estimated ? characters : usage.output),
    });
  }
  if (keep.size > 0) ports.thoughts.keep({ customer: request.customer, session: state.object }, keep);
}

/**
 * Lets go of what was given back to a model and refused: else every later step would have it refused again. What was
 * thought without it is not kept either: it would stand behind another prefix.
 */
export function forgetThoughts({ request, state, ports }: PlannedStep, { candidate }: Served): void {
  if (!ports.thoughts || !state.thoughts || state.object === null) return;
  const { provider, model } = candidate;
  const gone = [...state.thoughts].filter(
    ([, { wire, producer }]) => wire === model.wire && producer.provider === provider,
  );
  const empty = new Map(gone.map(([hash, one]) => [hash, { ...one, raw: [], tokens: 0 }]));
  if (empty.size > 0) ports.thoughts.keep({ customer: request.customer, session: state.object }, empty);
}
