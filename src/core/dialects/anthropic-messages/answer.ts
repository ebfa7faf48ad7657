import { type Usage, usageOf } from '../../accounting/usage.ts';
import type { Answer, StopReason } from '../../answer.ts';
import type { AssistantBlock, ForeignBlock, ThinkingBlock } from '../../conversation.ts';
import { FluxError } from '../../errors.ts';
import { originalId } from '../../tool-ids.ts';
import {
  countAt,
  invalidAnswer,
  isObject,
  type JsonObject,
  objectAt,
  objectsAt,
  requiredText,
  textAt,
} from '../provider-json.ts';
import { inputTexts } from './arguments.ts';

/**
 * Reads the JSON body of a 200 of `POST /v1/messages`. Thinking is kept as it came, and so are blocks that
 * only this wire knows (server tools and their results).
 *
 * @param raw the body's text, from which the arguments of calls are taken as they stand there
 * @throws FluxError with the error's own status where the body is an error, 502 where it is no answer.
 */
export function readAnswer(body: unknown, raw?: string): Answer {
  if (!isObject(body)) throw invalidAnswer('no JSON object');
  const error = objectAt(body, 'error');
  if (error !== undefined) throw anthropicError(error);
  if (!Array.isArray(body.content)) throw invalidAnswer('no `content`');
  const usage = objectAt(body, 'usage');
  const stopSequence = textAt(body, 'stop_sequence');
  const serviceTier = usage === undefined ? undefined : textAt(usage, 'service_tier');
  const stop = stopReason(textAt(body, 'stop_reason'));
  return {
    id: requiredText(body, 'id'),
    model: requiredText(body, 'model'),
    // A refusal may come in the middle: what stands before it is no answer.
    blocks:
      stop === 'refusal' ? [{ type: 'refusal', text: refusalText(body) }] : readBlocks(body.content, raw),
    stop,
    ...(stopSequence === undefined ? {} : { stopSequence }),
    ...(usage === undefined ? {} : { usage: readUsage(usage) }),
    ...(serviceTier === undefined ? {} : { serviceTier }),
  };
}

function readBlocks(content: readonly unknown[], raw: string | undefined): AssistantBlock[] {
  const inputs = inputTexts(() => raw);
  const blocks: AssistantBlock[] = [];
  for (const [index, block] of content.entries()) {
    if (!isObject(block)) continue;
    if (block.type === 'text') {
      const text = requiredText(block, 'text');
      const citations = objectsAt(block, 'citations');
      if (text !== '') blocks.push({ type: 'text', text, ...(citations.length > 0 ? { citations } : {}) });
    } else if (block.type === 'tool_use') {
      blocks.push({
        type: 'tool_call',
        id: originalId(requiredText(block, 'id')),
        name: requiredText(block, 'name'),
        arguments: (isObject(block.input) && inputs(index)) || JSON.stringify(block.input ?? {}),
      });
    } else blocks.push(ownBlock(block));
  }
  return blocks;
}

/** A finished block that is the API's own. */
export function ownBlock(block: JsonObject): ThinkingBlock | ForeignBlock {
  return block.type === 'thinking' || block.type === 'redacted_thinking'
    ? { type: 'thinking', wire: 'anthropic-messages', raw: block }
    : { type: 'foreign', kind: textAt(block, 'type') ?? '', raw: block };
}

/**
 * Anthropic's stop reasons in shared words (providers.md §5). `pause_turn` needs server tools, which only Anthropic's
 * own clients offer, and they get it as it is; an answer that pauses is not finished, so it is never shown as `stop`.
 */
export function stopReason(reason: string | undefined): StopReason {
  switch (reason) {
    case 'max_tokens':
    case 'model_context_window_exceeded':
    case 'pause_turn':
      return 'length';
    case 'tool_use':
      return 'tool_calls';
    case 'refusal':
      return 'refusal';
    default:
      return 'stop';
  }
}

/** The refusal's explanation, from a message or a `message_delta`'s delta. */
export function refusalText(holder: JsonObject): string {
  const details = objectAt(holder, 'stop_details');
  return (details && textAt(details, 'explanation')) || 'The model declined to answer this request.';
}

/** `input_tokens` is what lies after the last breakpoint; cache reads and writes stand beside it (T40). */
export function readUsage(usage: JsonObject): Usage {
  const written = countAt(usage, 'cache_creation_input_tokens');
  const write_1h = Math.min(
    written,
    countAt(objectAt(usage, 'cache_creation') ?? {}, 'ephemeral_1h_input_tokens'),
  );
  const thinking = countAt(objectAt(usage, 'output_tokens_details') ?? {}, 'thinking_tokens');
  return usageOf({
    fresh: countAt(usage, 'input_tokens'),
    // Five minutes is the default where no split is told.
    write_5m: written - write_1h,
    write_1h,
    read: countAt(usage, 'cache_read_input_tokens'),
    output: countAt(usage, 'output_tokens'),
    ...(thinking > 0 ? { thinking } : {}),
  });
}

/** HTTP statuses of Anthropic's error types (providers.md §3). */
const STATUSES: Record<string, number> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  conflict_error: 409,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};

/** The error object of a body or an `error` event as the error it would have been over HTTP. */
export function anthropicError(error: JsonObject): FluxError {
  const code = textAt(error, 'type') ?? 'api_error';
  const message = textAt(error, 'message') ?? 'The provider reported an error without saying which.';
  return new FluxError(message, { status: STATUSES[code] ?? 500, code });
}
