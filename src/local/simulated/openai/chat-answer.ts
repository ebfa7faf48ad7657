import { freshId } from '../digest.ts';
import type { Reply, Stop, TextPart } from '../reply.ts';
import { callsOf, textOf } from '../reply.ts';
import type { TokenUsage } from '../usage.ts';
import { inputOf } from '../usage.ts';
import type { Frame } from '../wire.ts';
import { pieces, textPieces, words } from '../wire.ts';
import type { ChatBody } from './chat-request.ts';
import { logprobsOf } from './logprobs.ts';
import { servedTier } from './service-tier.ts';

// providers.md §4: stop, length, tool_calls, content_filter. A model's own refusal ends with `stop`.
const FINISH_REASONS: Record<Stop, string> = {
  end: 'stop',
  length: 'length',
  stop_sequence: 'stop',
  tool_calls: 'tool_calls',
  refusal: 'stop',
  content_filter: 'content_filter',
  context_window: 'length',
  pause: 'stop',
};

type WireCall =
  | { id: string; type: 'function'; function: { name: string; arguments: string } }
  | { id: string; type: 'custom'; custom: { name: string; input: string } };

interface Choice {
  text: string;
  texts: TextPart[];
  refusal: string | undefined;
  calls: WireCall[];
  finish: string;
}

/** Puts a reply on the wire of Chat Completions, whole and as a stream; `n` choices all say the same. */
export function chatAnswer(body: ChatBody, reply: Reply, counted: TokenUsage | null, now: number) {
  const n = body.n ?? 1;
  const choices = Array.from({ length: n }, () => choiceOf(body, reply));
  const envelope = {
    id: freshId('chatcmpl-sim'),
    created: Math.floor(now / 1_000),
    model: body.model,
    service_tier: servedTier(body.service_tier),
    system_fingerprint: 'fp_simulated',
    ...reply.extra,
  };
  const usage = counted === null ? undefined : chatUsage(counted, n);
  return {
    body: {
      ...envelope,
      object: 'chat.completion',
      choices: choices.map((choice, index) => ({
        index,
        message: {
          role: 'assistant',
          content:
            choice.text === '' && (choice.calls.length > 0 || choice.refusal !== undefined)
              ? null
              : choice.text,
          refusal: choice.refusal ?? null,
          annotations: choice.texts.flatMap((part) => part.citations ?? []),
          ...(choice.calls.length > 0 ? { tool_calls: choice.calls } : {}),
        },
        logprobs:
          body.logprobs === true
            ? { content: logprobsOf(choice.text, body.top_logprobs ?? 0), refusal: null }
            : null,
        finish_reason: choice.finish,
      })),
      usage,
    },
    frames: chunks(body, envelope, choices, usage),
  };
}

function choiceOf(body: ChatBody, reply: Reply): Choice {
  const custom = new Set(
    (body.tools ?? []).flatMap((tool) => (tool.type === 'custom' ? [tool.custom.name] : [])),
  );
  return {
    text: textOf(reply),
    texts: reply.parts.flatMap((part) => (part.type === 'text' ? [part] : [])),
    refusal: reply.refusal,
    finish: FINISH_REASONS[reply.stop],
    calls: callsOf(reply).map((call): WireCall => {
      const id = call.id ?? freshId('call_');
      return custom.has(call.name)
        ? { id, type: 'custom', custom: { name: call.name, input: call.arguments } }
        : { id, type: 'function', function: { name: call.name, arguments: call.arguments } };
    }),
  };
}

/** `prompt_tokens` contains cached and written tokens (T40). */
function chatUsage(counted: TokenUsage, n: number) {
  const prompt = inputOf(counted);
  const completion = counted.output * n;
  const written = counted.write_30m + counted.write_12h;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: {
      cached_tokens: counted.read,
      audio_tokens: 0,
      cache_write_tokens: written,
      cache_write_tokens_details: { ttl_30m_tokens: counted.write_30m, ttl_12h_tokens: counted.write_12h },
    },
    completion_tokens_details: {
      reasoning_tokens: counted.thinking * n,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}

/** First delta the role; a call's id and name in its first delta only; usage, if asked for, in a chunk of its own. */
function* chunks(
  body: ChatBody,
  envelope: object,
  choices: readonly Choice[],
  usage: object | undefined,
): Generator<Frame> {
  const wantsUsage = body.stream_options?.include_usage === true && usage !== undefined;
  const obfuscates = body.stream_options?.include_obfuscation !== false;
  const chunk = (index: number, delta: object, finish: string | null = null, text?: string): Frame => ({
    data: {
      ...envelope,
      object: 'chat.completion.chunk',
      choices: [
        {
          index,
          delta,
          logprobs:
            body.logprobs === true && text !== undefined
              ? { content: logprobsOf(text, body.top_logprobs ?? 0), refusal: null }
              : null,
          finish_reason: finish,
        },
      ],
      ...(wantsUsage ? { usage: null } : {}),
      // Random padding hides the length of a word from who watches the line.
      ...(obfuscates ? { obfuscation: 'x'.repeat(1 + Math.floor(Math.random() * 12)) } : {}),
    },
  });
  for (const [index, choice] of choices.entries()) {
    yield chunk(index, { role: 'assistant', content: choice.calls.length > 0 ? null : '', refusal: null });
    for (const part of choice.texts) {
      for (const content of textPieces(part)) yield chunk(index, { content }, null, content);
      if (part.citations !== undefined) yield chunk(index, { annotations: part.citations });
    }
    for (const refusal of words(choice.refusal ?? '')) yield chunk(index, { refusal });
    for (const [place, call] of choice.calls.entries()) {
      yield chunk(index, { tool_calls: [{ index: place, ...opening(call) }] });
      const text = call.type === 'function' ? call.function.arguments : call.custom.input;
      for (const piece of pieces(text)) {
        const part =
          call.type === 'function' ? { function: { arguments: piece } } : { custom: { input: piece } };
        yield chunk(index, { tool_calls: [{ index: place, ...part }] });
      }
    }
    yield chunk(index, {}, choice.finish);
  }
  if (wantsUsage) yield { data: { ...envelope, object: 'chat.completion.chunk', choices: [], usage } };
  yield { data: '[DONE]' };
}

function opening(call: WireCall): object {
  return call.type === 'function'
    ? { ...call, function: { name: call.function.name, arguments: '' } }
    : { ...call, custom: { name: call.custom.name, input: '' } };
}
