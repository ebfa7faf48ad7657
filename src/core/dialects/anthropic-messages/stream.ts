import { usageOf } from '../../accounting/usage.ts';
import type { AnswerEvent, StopReason } from '../../answer.ts';
import type { FluxError } from '../../errors.ts';
import type { FluxMetadata } from '../../metadata.ts';
import type { AnswerHead, StreamWriter } from '../client-dialect.ts';
import type { JsonObject } from '../provider-json.ts';
import { createBlockWriter } from './block-writer.ts';
import { writeAnthropicError } from './error.ts';
import { writeDeltaUsage, writeUsage } from './usage.ts';
import { messageId, writeStop } from './write.ts';

/** An SSE frame of this wire: `event:` repeats the type. */
function frame(type: string, fields: JsonObject): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...fields })}\n\n`;
}

/** Keeps a silent stream alive; clients of this wire give up after 300 s without a byte (T69). */
export const KEEP_ALIVE = frame('ping', {});

/** No `message_stop` follows. */
function writeError(error: FluxError): string {
  return `event: error\ndata: ${JSON.stringify(writeAnthropicError(error))}\n\n`;
}

/** Translates any provider's events into a message's stream. `message_delta` waits for {@link StreamWriter.finish}. */
export function createStreamWriter(head: AnswerHead): StreamWriter {
  const blocks = createBlockWriter(frame);
  let model = '';
  let opened = false;
  let stop: StopReason = 'stop';
  let sequence: string | undefined;
  let refusal = '';

  const open = (): string => {
    if (opened) return '';
    opened = true;
    return frame('message_start', {
      message: {
        id: messageId(head),
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        stop_details: null,
        container: null,
        diagnostics: null,
        // Other providers tell at the end only: `message_delta` has all of it.
        usage: writeUsage(usageOf({})),
      },
    });
  };

  const writeEvent = (event: AnswerEvent): string => {
    switch (event.type) {
      case 'start':
        model = event.model;
        return '';
      case 'stop':
        stop = event.reason;
        sequence = event.stopSequence;
        return '';
      case 'refusal':
        refusal += event.text;
        return open() + blocks.write({ type: 'text', text: event.text });
      case 'text':
      case 'tool_call':
      case 'tool_arguments':
      case 'block':
        return open() + blocks.write(event);
      default:
        return '';
    }
  };

  return {
    write: ({ events }) => events.map(writeEvent).join(''),
    finish: (usage, metadata) =>
      open() +
      blocks.end() +
      frame('message_delta', {
        delta: { ...writeStop(stop, sequence, refusal), container: null },
        usage: writeDeltaUsage(usage),
        fluxcompute: metadata,
      }) +
      frame('message_stop', {}),
    fail: writeError,
  };
}

/**
 * Relays a stream of this wire: every frame as it came, unknown events too. Only the last `message_delta`, and what
 * follows it, waits, since metadata rides on it.
 */
export function createStreamRelay(): StreamWriter {
  /** The last `message_delta`, and the frames after it. */
  let held: { event: string | undefined; raw: string }[] = [];
  let stopped = false;

  const release = (): string => {
    const text = held.map(({ event, raw }) => relayed(event, raw)).join('');
    held = [];
    return text;
  };

  return {
    write({ raw, event }) {
      if (raw === '') return '';
      const type = event ?? typeOf(raw);
      if (type === 'message_stop') stopped = true;
      if (type === 'message_delta') {
        const text = release();
        held = [{ event, raw }];
        return text;
      }
      if (held.length === 0) return relayed(event, raw);
      held.push({ event, raw });
      return '';
    },
    finish(_usage, metadata) {
      const [delta, ...after] = held;
      held = after;
      const told = delta ? relayed(delta.event, withMetadata(delta.raw, metadata)) : '';
      return told + release() + (stopped ? '' : frame('message_stop', {}));
    },
    fail: writeError,
  };
}

function relayed(event: string | undefined, raw: string): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${raw.replaceAll('\n', '\ndata: ')}\n\n`;
}

/** One member more; the rest stays byte for byte. */
function withMetadata(raw: string, metadata: FluxMetadata): string {
  return `${raw.slice(0, raw.lastIndexOf('}'))},"fluxcompute":${JSON.stringify(metadata)}}`;
}

/** Of a server that names no events. */
function typeOf(raw: string): string | undefined {
  return /^\s*\{\s*"type"\s*:\s*"([a-z_]+)"/.exec(raw.slice(0, 100))?.[1];
}
