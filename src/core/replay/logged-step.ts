import { type InputGrowth, type InputSize, measureGrowth } from '../accounting/estimate.ts';
import { type CacheParts, settingsParts, type WireParts, withMessages } from '../context/cache-parts.ts';
import { type Block, type Conversation, isTextDocument, type Message } from '../conversation.ts';
import { PRIOR } from '../difficulty/prior.ts';
import type { ScorerProfile } from '../difficulty/profile.ts';
import { classify, type Difficulty } from '../difficulty/scorer.ts';
import { type Needs, needsOf } from '../routing/capability.ts';
import type { Carried } from '../routing/portability.ts';

/** A step of a user's log: all that a policy may know before it chooses, and the answer that came. */
export interface LoggedStep {
  needs: Needs;
  difficulty: Difficulty;
  /** What of the request may lose a prompt cache. */
  parts: CacheParts;
  /** What of the turn is some model's own. */
  carries: readonly Carried[];
  /** Start of the request, in milliseconds since the epoch. */
  at: number;
  /** Tokens of the answer on the reference tokenizer. */
  output: number;
  /** What a compression of the prompt would leave of it; null: nothing to leave out. */
  compressed: CompressedInput | null;
}

/** A prompt without its middle: all before the first answer, then the latest turns. */
export interface CompressedInput {
  input: InputSize;
  /** What stands at its beginning in every step. */
  head: InputSize;
  /** Which message the latest turns begin with: while it stays, the prompt only grows. */
  from: number;
}

/** Turns that a compression keeps: what gateways that offer it keep by default is between two and five. */
const KEPT_TURNS = 3;

/** How a log's requests are read. */
export interface LogReading {
  /** What judges them; absent: the shipped scorer. */
  profile?: ScorerProfile;
  /** Makes a short text of a long one; absent: all is kept. */
  digest?: (text: string) => string;
  /** What of a request its conversation does not hold. */
  wire?: WireParts;
}

/** What a log's request was, for the policies of a replay. */
export function loggedStep(
  conversation: Conversation,
  at: number,
  output: number,
  reading: LogReading = {},
): LoggedStep {
  return loggedSteps(conversation, reading)(conversation.messages.length, at, output);
}

/**
 * The requests of a whole conversation, by how many of its messages each sent. Its text is measured once, however many
 * steps there are.
 */
export function loggedSteps(
  conversation: Conversation,
  { profile = PRIOR, digest = (text) => text, wire = {} }: LogReading = {},
): (count: number, at: number, output: number) => LoggedStep {
  const growth = measureGrowth(conversation);
  const witnesses = needWitnesses(conversation);
  const settings = settingsParts(conversation, digest, wire);
  return (count, at, output) => {
    const messages = conversation.messages.slice(0, count);
    const input = growth.first(count);
    return {
      needs: { capabilities: witnesses(count), input },
      difficulty: classify({ ...conversation, messages }, profile),
      parts: withMessages(settings, input),
      // A log whose prompt is stored at a provider can't be read; thinking is left out of it.
      carries: [],
      at,
      output,
      compressed: compress(messages, growth),
    };
  };
}

/** What any prefix needs is told by some of its messages: the first image, the first file, the first use of a tool, and the last. */
function needWitnesses(conversation: Conversation): (count: number) => Needs['capabilities'] {
  const { messages } = conversation;
  const first = [
    messages.findIndex(shows((block) => block.type === 'image')),
    messages.findIndex(shows((block) => block.type === 'document' && !isTextDocument(block))),
    messages.findIndex(usesTool),
  ];
  const tools = conversation.tools.map(({ name }) => ({ name }));
  return (count) => {
    const telling = [...first.filter((index) => index < count), count - 1];
    const kept = telling.flatMap((index) => messages[index] ?? []);
    return needsOf({ ...conversation, tools, messages: kept }).capabilities;
  };
}

function shows(what: (block: Block) => boolean): (message: Message) => boolean {
  return ({ content }) =>
    content.some((block) => (block.type === 'tool_result' ? block.content.some(what) : what(block)));
}

function usesTool({ role, content }: Message): boolean {
  return role === 'tool' || content.some(({ type }) => type === 'tool_call');
}

function compress(messages: readonly Message[], growth: InputGrowth): CompressedInput | null {
  const turns = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
  const from = turns.at(-KEPT_TURNS);
  const answered = messages.findIndex(({ role }) => role === 'assistant');
  // Cut at turns only: a tool call and its results stay together (T24).
  if (from === undefined || answered === -1 || from <= answered || turns.length <= KEPT_TURNS) return null;
  return { input: growth.without(answered, from, messages.length), head: growth.first(answered), from };
}
