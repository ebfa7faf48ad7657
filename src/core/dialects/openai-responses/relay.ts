import { type Edits, spliceMembers } from '../../json-splice.ts';
import type { FluxMetadata } from '../../metadata.ts';
import type { AnswerHead, StreamWriter } from '../client-dialect.ts';
import { isObject } from '../provider-json.ts';
import type { AnswerKeeper } from './kept.ts';
import type { ResponsesRequestBody } from './schema.ts';
import { eventText, failureOf } from './stream.ts';
import { responseObject } from './write.ts';

/** A whole answer that already is a `response`, byte for byte but for what the gateway answers for. */
export function relayResponse(raw: string, head: AnswerHead, metadata: FluxMetadata): string {
  return spliceMembers(raw, { ...ownEdits(head), fluxcompute: JSON.stringify(metadata) });
}

/** The provider is never told to store, nor what the request went on from: both are the gateway's. */
function ownEdits({ keeps, continues }: AnswerHead): Edits {
  return {
    ...(keeps ? { store: 'true' } : {}),
    ...(continues === undefined ? {} : { previous_response_id: JSON.stringify(continues) }),
  };
}

/**
 * An event that may hold the whole `response`. Most hold none and need not be parsed once more; inside a JSON string
 * the quotes of these would be escaped.
 */
const WHOLE = /"type"\s*:\s*"response\.(?:created|queued|in_progress|completed|incomplete|failed)"/;
const TERMINAL: ReadonlySet<unknown> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
]);

/**
 * Relays a Responses stream: every event as it came, unknown ones included. Only the last waits, since metadata rides
 * on it.
 */
export function createStreamRelay(
  request: ResponsesRequestBody,
  head: AnswerHead,
  keeper: AnswerKeeper,
): StreamWriter {
  /** What an error of ours continues: the response as it began, and the last number. */
  let begun: Record<string, unknown> | undefined;
  let last = '';
  let held: { type: string; raw: string } | undefined;
  const edits = ownEdits(head);
  const hasEdits = Object.keys(edits).length > 0;

  return {
    write({ raw, event }) {
      // The event reader has read it: what is no JSON is an error by now, which has ended the stream.
      if (raw === '' || raw === '[DONE]') return '';
      last = raw;
      let shown = raw;
      if (WHOLE.test(raw)) {
        const data: unknown = JSON.parse(raw);
        if (isObject(data) && isObject(data.response)) {
          if (TERMINAL.has(data.type)) {
            if (head.keeps) keeper.take(data.response);
            held = { type: String(data.type), raw };
            return '';
          }
          begun ??= data.response;
          if (hasEdits) shown = spliceMembers(raw, { response: edits });
        }
      }
      return frameText(event, shown);
    },
    finish(_usage, metadata) {
      if (!held) return '';
      const response = { ...edits, fluxcompute: JSON.stringify(metadata) };
      return eventText(held.type, spliceMembers(held.raw, { response }));
    },
    fail(error, metadata) {
      const response = {
        ...(begun ?? responseObject(request, head, { model: request.model, status: 'failed', output: [] })),
        status: 'failed',
        error: failureOf(error),
        ...(metadata ? { fluxcompute: metadata } : {}),
      };
      const sequence_number = Number(/"sequence_number"\s*:\s*(\d+)/.exec(last)?.[1] ?? -1) + 1;
      const data = { type: 'response.failed', sequence_number, response };
      return eventText(data.type, JSON.stringify(data));
    },
  };
}

function frameText(event: string | undefined, data: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${data.replaceAll('\n', '\ndata: ')}\n\n`;
}
