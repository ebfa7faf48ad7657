import { z } from 'zod';
import { digest } from '../digest.ts';
import { seal, unseal } from '../sealed.ts';
import type { AnthropicRequest } from './accepted.ts';
import { thinkingMode } from './accepted.ts';
import { CLAUDE_MODELS } from './models.ts';
import type { ContentBlock, RequestMessage } from './request.ts';
import { blocksOf } from './request.ts';

/** What a simulated signature carries. The real ones are opaque; these hold what the rules have to know. */
const signature = z.object({
  kind: z.enum(['thinking', 'redacted_thinking']),
  model: z.string(),
  organisation: z.string(),
  /** Fingerprint of tools, system and messages before the turn, thinking left out. */
  prefix: z.string(),
  turn: z.string(),
  /** Place among the thinking blocks of its turn, and how many there are. */
  index: z.number(),
  count: z.number(),
  tokens: z.number(),
  /** In effect when it was made. */
  effort: z.string(),
  /** Fingerprint of the text; '' where it was omitted, and text put there is ignored. */
  text: z.string(),
});

export type Signature = z.infer<typeof signature>;
export type ThinkingBlock = Extract<ContentBlock, { type: 'thinking' | 'redacted_thinking' }>;

export function isThinking(block: ContentBlock): block is ThinkingBlock {
  return block.type === 'thinking' || block.type === 'redacted_thinking';
}

export function sign(value: Signature): string {
  return seal(value);
}

/** Reads a block's signature; undefined where it isn't one of ours, was changed, or is of the other kind of block. */
export function signatureOf(block: ThinkingBlock): Signature | undefined {
  const read = signature.safeParse(unseal(block.type === 'thinking' ? block.signature : block.data));
  return read.success && read.data.kind === block.type ? read.data : undefined;
}

/** Whether the text of a block is what it was, or doesn't count. */
export function isUnedited(block: ThinkingBlock, signed: Signature): boolean {
  return block.type === 'redacted_thinking' || signed.text === '' || signed.text === digest(block.thinking);
}

/** Which binding check a block failed (aSDK `BetaThinkingDroppedInputTransformation`). */
export type Mismatch = 'organization_binding_mismatch' | 'model_binding_mismatch' | 'prefix_binding_mismatch';

/** What becomes of a genuine block: the model reads it, perhaps in spite of a mismatch, or it is dropped, or a 400. */
export type Fate = { does: 'read' | 'dropped' | 'error'; mismatch?: Mismatch };

/**
 * Judges a block by the checks in their order of precedence (providers.md §3, "Another model's blocks", "bind to the
 * account", "Prefix check"; aSDK). Dropped blocks aren't billed and are no error.
 */
export function fateOf(request: AnthropicRequest, signed: Signature, prefix: string | undefined): Fate {
  const { model, organisation, account, body } = request;
  const maker = CLAUDE_MODELS.find((one) => one.id === signed.model);
  if (maker?.boundToOrganisation === true && signed.organisation !== organisation) {
    return { does: 'dropped', mismatch: 'organization_binding_mismatch' };
  }
  if (signed.model !== model.id && !model.reads.includes(signed.model)) {
    return { does: 'dropped', mismatch: 'model_binding_mismatch' };
  }
  if (!model.prefixCheck || signed.prefix === prefix) return { does: 'read' };
  const mismatch = 'prefix_binding_mismatch';
  const wanted = body.thinking?.block_binding?.prefix_mismatch_behavior;
  if (wanted === 'drop_block') return { does: 'dropped', mismatch };
  return { does: wanted === 'error' || account.prefixCheck ? 'error' : 'read', mismatch };
}

/**
 * Whether thinking of this message is in the context: not with thinking off, and not in finished turns on the models
 * that strip them (providers.md §3, "Older turns").
 */
export function isInContext(request: AnthropicRequest, messageIndex: number): boolean {
  if (thinkingMode(request) === 'disabled') return false;
  return request.model.keepsThinking || messageIndex > lastAsk(request.body.messages);
}

/** The last message in which the user speaks himself, -1 if there is none. */
function lastAsk(messages: readonly RequestMessage[]): number {
  return messages.findLastIndex(
    (message) =>
      message.role === 'user' && blocksOf(message.content).some((block) => block.type !== 'tool_result'),
  );
}
