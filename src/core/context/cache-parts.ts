import { type InputSize, leadingSystem } from '../accounting/estimate.ts';
import type { Block, Conversation, Message } from '../conversation.ts';

/**
 * What of a request decides, beside the text of its messages, whether a prompt cache still holds: which of it does at a
 * model is `lostBy` of its rules.
 */
export type CachePart =
  /** All tools, in order; those a client allows of them, which Anthropic's models are offered alone. */
  | 'tools'
  | 'allowed_tools'
  /** What the system or a developer says before all else. */
  | 'system'
  | 'tool_choice'
  | 'parallel_tool_calls'
  /** Whether there are any. */
  | 'images'
  /** How often the user has spoken, where the model thinks. */
  | 'asks'
  | 'thinking'
  | 'effort'
  | 'verbosity'
  | 'format'
  | 'service_tier'
  | 'speed'
  | 'web_search'
  | 'citations'
  | 'cache_key'
  /** Which messages are left out (compress.ts); absent: none. */
  | 'left_out';

/**
 * A request's parts as short texts, which differ where the parts do; absent is what its provider does unasked. Plain
 * data: a store can keep it as JSON.
 */
export type CacheParts = Readonly<Partial<Record<CachePart, string>>>;

/** Parts that a conversation does not hold, as they stand on the wire. */
export type WireParts = Pick<CacheParts, 'speed' | 'web_search'>;

/**
 * The parts that a conversation's settings decide; {@link withMessages} adds those that its messages do.
 * @param digest makes a short text of a long one: content is kept as such only
 */
export function settingsParts(
  conversation: Conversation,
  digest: (text: string) => string,
  wire: WireParts = {},
): CacheParts {
  const { messages, tools, toolChoice, parallelToolCalls, output, reasoning, hints } = conversation;
  const system = messages.slice(0, leadingSystem(messages)).flatMap(({ content }) => content.map(textOf));
  const isAllowed = toolChoice?.type === 'allowed';
  const choice = isAllowed
    ? toolChoice.mode
    : toolChoice?.type === 'tool'
      ? toolChoice.name
      : toolChoice?.type;
  // Without tools a choice among them is not sent.
  const offered = tools.length > 0;
  return {
    ...wire,
    ...(offered && { tools: digest(JSON.stringify(tools.map(({ cache: _moves, ...tool }) => tool))) }),
    ...(offered && isAllowed && { allowed_tools: digest(JSON.stringify(toolChoice.names)) }),
    ...(system.length > 0 && { system: digest(JSON.stringify(system)) }),
    ...(offered && choice !== undefined && choice !== 'auto' && { tool_choice: digest(choice) }),
    ...(offered && parallelToolCalls === false && { parallel_tool_calls: 'false' }),
    ...(reasoning.effort !== undefined && { effort: reasoning.effort }),
    ...(reasoning.mode !== undefined && {
      thinking: `${reasoning.mode} ${reasoning.budgetTokens ?? ''}`.trim(),
    }),
    ...citedPart(messages),
    ...(isOther(output.verbosity, 'medium') && { verbosity: output.verbosity }),
    ...(output.format && { format: digest(JSON.stringify(output.format)) }),
    ...(isOther(hints.serviceTier, 'auto') && { service_tier: hints.serviceTier }),
    ...(hints.promptCacheKey !== undefined && { cache_key: digest(hints.promptCacheKey) }),
  };
}

/** With what its messages decide, as they were measured. */
export function withMessages(parts: CacheParts, { total, asks }: InputSize): CacheParts {
  return {
    ...parts,
    ...(total.images + total.smallImages > 0 && { images: 'some' }),
    ...(isOther(parts.thinking, 'disabled') && { asks: String(asks) }),
  };
}

/** The parts of a request once a cut was made (compress.ts), from those of the whole. */
export function cutParts(
  { images: _images, asks: _asks, citations: _citations, ...parts }: CacheParts,
  messages: readonly Message[],
  input: InputSize,
  leftOut: string,
): CacheParts {
  return { ...withMessages({ ...parts, ...citedPart(messages) }, input), left_out: leftOut };
}

function citedPart(messages: readonly Message[]): CacheParts {
  return messages.some(isCited) ? { citations: 'enabled' } : {};
}

function isOther(value: string | undefined, usual: string): value is string {
  return value !== undefined && value !== usual;
}

function isCited({ content }: Message): boolean {
  return content.some((block) =>
    block.type === 'tool_result' ? block.content.some(wantsCitations) : wantsCitations(block),
  );
}

function wantsCitations(block: Block): boolean {
  return block.type === 'document' && block.citations === true;
}

function textOf(block: Message['content'][number]): string {
  return block.type === 'text' ? block.text : '';
}
