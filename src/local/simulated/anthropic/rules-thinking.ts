import type { AnthropicRequest } from './accepted.ts';
import { effortInEffect, thinkingMode } from './accepted.ts';
import type { Prompt } from './prompt.ts';
import { blocksOf } from './request.ts';
import type { ThinkingBlock } from './thinking.ts';
import { fateOf, isInContext, isThinking, isUnedited, signatureOf } from './thinking.ts';

/** Thinking blocks a client sends back: providers.md §3, Thinking blocks. */
type ThinkingRule = (request: AnthropicRequest, prompt: Prompt) => string | undefined;

const UNMODIFIED =
  '`thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified. These blocks must remain as they were in the original response.';

const signaturesAreGenuine: ThinkingRule = (request) => {
  for (const { index, place, block } of thinkingIn(request)) {
    if (signatureOf(block) !== undefined) continue;
    const field = block.type === 'thinking' ? '`signature` in `thinking`' : '`data` in `redacted_thinking`';
    return `messages.${index}.content.${place}: Invalid ${field} block`;
  }
  return undefined;
};

// Latest assistant message: all of the turn's blocks or none, in their order, unedited, before everything else (T17).
const latestIsUnmodified: ThinkingRule = (request, prompt) => {
  const { messages } = request.body;
  const latest = messages.findLastIndex((message) => message.role === 'assistant');
  const message = messages[latest];
  if (message === undefined || thinkingMode(request) === 'disabled') return undefined;
  const blocks = blocksOf(message.content);
  const own = blocks.filter(isThinking).flatMap((block) => {
    const signed = signatureOf(block);
    if (signed === undefined) return [];
    const isDropped = fateOf(request, signed, prompt.prefixes[latest]).does === 'dropped';
    return isDropped ? [] : [{ block, signed }];
  });
  if (own.length === 0) return undefined;
  const turn = own[0]?.signed;
  const intact =
    own.length === turn?.count &&
    own.every(
      ({ block, signed }, index) =>
        signed.turn === turn.turn && signed.index === index && isUnedited(block, signed),
    );
  if (!intact) return `messages.${latest}.content.0: ${UNMODIFIED}`;
  const [first] = blocks;
  return first !== undefined && !isThinking(first)
    ? `messages.${latest}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first.type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block.`
    : undefined;
};

// From Fable 5.1 on (aDoc:preserved-thinking); `fateOf` knows for whom it is an error.
const prefixIsUnedited: ThinkingRule = (request, prompt) => {
  for (const { index, place, block } of thinkingIn(request)) {
    const signed = isInContext(request, index) ? signatureOf(block) : undefined;
    if (signed === undefined || fateOf(request, signed, prompt.prefixes[index]).does !== 'error') continue;
    return `messages.${index}.content.${place}: the content before this \`${block.type}\` block is not what it was when the block was made. Remove the block, or restore the tools, system and messages before it.`;
  }
  return undefined;
};

// Sonnet 5.5: under `between_tools` the effort stays what it was (providers.md §2; wording `?`).
const effortIsKept: ThinkingRule = (request, prompt) => {
  if (thinkingMode(request) !== 'between_tools') return undefined;
  const asked = request.body.messages.some((message) => message.output_config?.effort != null);
  const changed = thinkingIn(request).some(({ index, block }) => {
    const signed = signatureOf(block);
    return (
      signed !== undefined &&
      fateOf(request, signed, prompt.prefixes[index]).does === 'read' &&
      signed.effort !== effortInEffect(request)
    );
  });
  return asked || changed
    ? 'output_config.effort: changing effort mid-conversation is not supported with "thinking.type.between_tools".'
    : undefined;
};

export const THINKING_RULES: readonly ThinkingRule[] = [
  signaturesAreGenuine,
  latestIsUnmodified,
  prefixIsUnedited,
  effortIsKept,
];

function thinkingIn({ body }: AnthropicRequest): { index: number; place: number; block: ThinkingBlock }[] {
  return body.messages.flatMap((message, index) =>
    blocksOf(message.content).flatMap((block, place) => (isThinking(block) ? [{ index, place, block }] : [])),
  );
}
