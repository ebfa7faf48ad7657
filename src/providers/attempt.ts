import type { Answer, AnswerEvent } from '../core/answer.ts';
import { readAnswer as readAnthropicAnswer } from '../core/dialects/anthropic-messages/answer.ts';
import { createEventReader as readAnthropicEvents } from '../core/dialects/anthropic-messages/events.ts';
import type { AnswerFrame } from '../core/dialects/client-dialect.ts';
import { readAnswer as readChatAnswer } from '../core/dialects/openai-chat/answer.ts';
import { createEventReader as readChatEvents } from '../core/dialects/openai-chat/events.ts';
import { readAnswer as readResponsesAnswer } from '../core/dialects/openai-responses/answer.ts';
import { createEventReader as readResponsesEvents } from '../core/dialects/openai-responses/events.ts';
import type { EventReader } from '../core/dialects/upstream.ts';
import { FluxError } from '../core/errors.ts';
import type { Wire } from '../core/routing/catalog.ts';
import type { CallOutcome, OpenStream, ProviderCall } from '../pipeline/ports.ts';
import { postAnthropic } from './anthropic.ts';
import { EventFlow } from './event-flow.ts';
import { postOpenAI } from './openai.ts';
import { type Try, within, withRetries } from './retries.ts';

const READERS: Record<Wire, { answer(body: unknown, raw: string): Answer; events(): EventReader }> = {
  'anthropic-messages': { answer: readAnthropicAnswer, events: readAnthropicEvents },
  'openai-responses': { answer: readResponsesAnswer, events: readResponsesEvents },
  'openai-chat': { answer: readChatAnswer, events: readChatEvents },
};

/**
 * Calls one model: with a time-out, up to three tries with growing pauses (`retry-after` obeyed), and for a
 * stream the gate: its first meaningful frame is read before anyone commits to it (T28). Never throws.
 */
export async function callProvider(call: ProviderCall): Promise<CallOutcome> {
  const outcome = await withRetries(
    call,
    (attempt) => send(call, attempt),
    (answer) => {
      if (answer.kind === 'stream') answer.stream.abort();
      return answer.kind === 'stream';
    },
  );
  // Lets go of what may be megabytes: the collector would keep them until it has time. What is still being sent stays.
  if (typeof call.body !== 'string' && !call.body.buffer.detached) call.body.buffer.transfer(0);
  return outcome;
}

type Outcome = { kind: 'answer'; answer: Answer; raw: string } | { kind: 'stream'; stream: OpenStream };

async function send(call: ProviderCall, { started, note, connection }: Try): Promise<Outcome> {
  const post = call.provider.kind === 'anthropic' ? postAnthropic : postOpenAI;
  /** Up to the first byte of a stream, or to the last of a whole answer or an error. */
  const exchange = async () => {
    const response = await post(call, connection.signal);
    note(response.headers);
    // Asked for only where it is read: the stream object alone takes longer than the text of a short answer.
    const streams = call.stream && /event-stream/.test(response.headers.get('content-type') ?? '');
    const body = streams ? response.body : null;
    return body ? { body } : { raw: await response.text() };
  };
  const left = started + call.timeouts.firstByte - Date.now();
  const { body, raw = '' } = await within(left, exchange(), connection);
  if (body) {
    const read = READERS[call.model.wire].events();
    const frames = new EventFlow(body, read, call.timeouts.idle, connection.signal);
    const head = await frames.openGate(call.showsThinking);
    return { kind: 'stream', stream: { head, frames, whole: false, abort: () => connection.abort() } };
  }
  const answer = READERS[call.model.wire].answer(parseAnswer(raw), raw); // Throws the error inside, if it is one (T28).
  if (call.stream) return { kind: 'stream', stream: streamOf(answer) };
  return { kind: 'answer', answer, raw };
}

/** A whole answer as the stream that was asked for: some servers can't stream. */
function streamOf(answer: Answer): OpenStream {
  let calls = 0;
  const said = answer.blocks.flatMap((block): AnswerEvent[] => {
    if (block.type === 'thinking' || block.type === 'foreign') return [{ type: 'block', block }];
    if (block.type !== 'tool_call') return [{ type: block.type, text: block.text }];
    const index = calls++;
    return [
      {
        type: 'tool_call',
        index,
        id: block.id,
        name: block.name,
        ...(block.custom === true ? { custom: true } : {}),
      },
      { type: 'tool_arguments', index, delta: block.arguments },
    ];
  });
  const events: AnswerEvent[] = [
    { type: 'start', id: answer.id, model: answer.model },
    ...said,
    ...(answer.usage ? [{ type: 'usage' as const, usage: answer.usage, ...tierOf(answer) }] : []),
    {
      type: 'stop',
      reason: answer.stop,
      ...(answer.stopSequence === undefined ? {} : { stopSequence: answer.stopSequence }),
    },
    { type: 'end' },
  ];
  async function* frames(): AsyncGenerator<AnswerFrame[]> {
    yield [{ raw: '', events }];
  }
  return { head: events, frames: frames(), whole: true, abort() {} };
}

function tierOf({ serviceTier }: Answer): { serviceTier?: string } {
  return serviceTier === undefined ? {} : { serviceTier };
}

/** @throws FluxError without the parser's own message, which quotes the text */
function parseAnswer(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    throw new FluxError('The provider answered with something that is not JSON.', {
      status: 502,
      code: 'not_json',
    });
  }
}
