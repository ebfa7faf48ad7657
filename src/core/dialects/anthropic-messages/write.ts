import { usageOf } from '../../accounting/usage.ts';
import type { Answer, StopReason } from '../../answer.ts';
import type { AssistantBlock } from '../../conversation.ts';
import type { FluxMetadata } from '../../metadata.ts';
import type { RawJson } from '../../raw-json.ts';
import { ANTHROPIC_IDS, createIdMap, type IdMap } from '../../tool-ids.ts';
import type { AnswerHead } from '../client-dialect.ts';
import type { JsonObject } from '../provider-json.ts';
import { callInput } from './arguments.ts';
import { writeUsage } from './usage.ts';

const STOP_REASONS: Readonly<Record<StopReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  refusal: 'refusal',
};

/** A whole answer as a `message` object; its id is `msg_` and our request id. */
export function writeMessage(answer: Answer, head: AnswerHead, metadata: FluxMetadata): JsonObject {
  const ids = createIdMap(ANTHROPIC_IDS);
  const refusals = answer.blocks.flatMap((block) => (block.type === 'refusal' ? [block.text] : []));
  return {
    id: messageId(head),
    type: 'message',
    role: 'assistant',
    model: answer.model,
    content: answer.blocks.flatMap((block) => writeBlock(block, ids)),
    ...writeStop(answer.stop, answer.stopSequence, refusals.join('')),
    container: null,
    diagnostics: null,
    usage: writeUsage(answer.usage ?? usageOf({}), answer.serviceTier),
    fluxcompute: metadata,
  };
}

export function messageId({ requestId }: AnswerHead): string {
  return `msg_${requestId.replaceAll('-', '')}`;
}

/**
 * Why an answer ended.
 * @param refusal what was said in refusing, which other providers do without a reason of its own; '' where nothing was
 */
export function writeStop(stop: StopReason, sequence: string | undefined, refusal: string): JsonObject {
  const refused = stop === 'refusal' || refusal !== '';
  return {
    stop_reason: refused ? 'refusal' : sequence === undefined ? STOP_REASONS[stop] : 'stop_sequence',
    stop_sequence: refused ? null : (sequence ?? null),
    stop_details: refused
      ? { type: 'refusal', category: null, explanation: refusal === '' ? null : refusal }
      : null,
  };
}

/** What a client can show: thinking of this wire only, and a refusal as the text it is. */
function writeBlock(block: AssistantBlock, ids: IdMap): JsonObject[] {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return [{ type: 'text', text: block.text, citations: null }];
    case 'tool_call':
      return [toolUse(ids.call(block.id), block.name, callInput(block).value)];
    case 'thinking':
      return block.wire === 'anthropic-messages' ? [block.raw] : [];
    case 'foreign':
      return [];
  }
}

export function toolUse(id: string, name: string, input: JsonObject | RawJson): JsonObject {
  return { type: 'tool_use', id, name, input, caller: { type: 'direct' } };
}
