import type { AnswerEvent, StopReason } from '../../answer.ts';
import type { FluxError } from '../../errors.ts';
import type { AnswerHead, StreamWriter } from '../client-dialect.ts';
import type { AnswerKeeper } from './kept.ts';
import { offeredTools } from './namespaces.ts';
import { createOutput } from './output.ts';
import type { ResponsesRequestBody } from './schema.ts';
import { answerIdOf, endingOf, type ResponseState, responseObject } from './write.ts';

/** An SSE comment: keeps a silent stream alive, and no client shows it (T69). */
export const KEEP_ALIVE = ': keep-alive\n\n';

/** One event as this wire has it: `event:` repeats the type. */
export function eventText(type: string, data: string): string {
  return `event: ${type}\ndata: ${data}\n\n`;
}

/** OpenAI's codes of a failed response (its OpenAPI description, `ResponseErrorCode`). */
export function failureOf(error: FluxError): { code: string; message: string } {
  // An OpenAI provider's own code stays its own (T69).
  const own = error.provider?.kind === 'openai' ? error.provider.code : null;
  const ours =
    error.status === 429 ? 'rate_limit_exceeded' : error.status < 500 ? 'invalid_prompt' : 'server_error';
  return { code: own ?? ours, message: error.message };
}

/** Translates any provider's events into Responses' own: numbered from 0, in order, without a `[DONE]`. */
export function createStreamWriter(
  request: ResponsesRequestBody,
  head: AnswerHead,
  keeper: AnswerKeeper,
): StreamWriter {
  const offered = offeredTools(request);
  let text = '';
  let sequence = 0;
  let model = request.model;
  let opened = false;
  let stop: StopReason = 'stop';
  let refused = false;
  let serviceTier: string | undefined;

  const emit = (type: string, fields: Record<string, unknown>): void => {
    text += eventText(type, JSON.stringify({ type, sequence_number: sequence++, ...fields }));
  };
  const output = createOutput(answerIdOf(head), (type, fields) => {
    open();
    emit(type, fields);
  });
  const state = (more: Omit<ResponseState, 'model' | 'serviceTier'>): Record<string, unknown> =>
    responseObject(request, head, { model, serviceTier, ...more });
  const open = (): void => {
    if (opened) return;
    opened = true;
    const response = state({ status: 'in_progress', output: [] });
    emit('response.created', { response });
    emit('response.in_progress', { response });
  };
  const take = (): string => {
    const said = text;
    text = '';
    return said;
  };

  const writeEvent = (event: AnswerEvent): void => {
    switch (event.type) {
      case 'start':
        model = event.model;
        open();
        break;
      case 'text':
        output.say('output_text', event.text);
        break;
      case 'refusal':
        refused = true;
        output.say('refusal', event.text);
        break;
      case 'tool_call':
        output.call(event.index, event.id, offered.get(event.name) ?? { name: event.name, custom: false });
        break;
      case 'tool_arguments':
        output.addArguments(event.index, event.delta);
        break;
      case 'block':
        if (event.block.type === 'foreign' || event.block.wire === 'openai-responses')
          output.add(event.block.raw);
        break;
      case 'usage':
        serviceTier = event.serviceTier ?? serviceTier;
        break;
      case 'stop':
        stop = event.reason;
        output.close(endingOf(stop, refused).status === 'incomplete');
        break;
    }
  };

  return {
    write({ events }) {
      for (const event of events) writeEvent(event);
      return take();
    },
    finish(usage, metadata) {
      open();
      const ending = endingOf(stop, refused);
      output.close(ending.status === 'incomplete');
      const response = state({ ...ending, output: output.items(), usage, metadata });
      keeper.take(response);
      emit(`response.${ending.status}`, { response });
      return take();
    },
    fail(error, metadata) {
      open();
      const failed = { status: 'failed', error: failureOf(error) } as const;
      emit('response.failed', { response: state({ ...failed, output: output.items(), metadata }) });
      return take();
    },
  };
}
