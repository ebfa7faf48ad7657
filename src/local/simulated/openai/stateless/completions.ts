import { z } from 'zod';
import { freshId } from '../../digest.ts';
import type { Reply } from '../../reply.ts';
import { textOf } from '../../reply.ts';
import { countTokens } from '../../tokens.ts';
import type { TokenUsage } from '../../usage.ts';
import type { Frame } from '../../wire.ts';
import { words } from '../../wire.ts';
import { bad } from '../errors.ts';
import type { AcceptStateless } from './stateless-exchange.ts';
import { readStateless, statelessExchange } from './stateless-exchange.ts';

/** oSDK `CompletionCreateParams.model`. */
export const COMPLETION_MODELS = ['gpt-3.5-turbo-instruct', 'davinci-002', 'babbage-002'];

/** Prompt and answer together (oDoc:models). */
const CONTEXT: Record<string, number> = { 'gpt-3.5-turbo-instruct': 4_096 };
const OTHER_CONTEXT = 16_384;

const body = z.strictObject({
  model: z.string(),
  prompt: z
    .union([z.string(), z.array(z.string()), z.array(z.number().int()), z.array(z.array(z.number().int()))])
    .nullable(),
  best_of: z.number().int().min(0).max(20).nullish(),
  echo: z.boolean().nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  logit_bias: z.record(z.string(), z.number().min(-100).max(100)).nullish(),
  logprobs: z.number().int().min(0).max(5).nullish(),
  max_tokens: z.number().int().min(0).nullish(),
  n: z.number().int().min(1).max(128).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  seed: z.number().int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(4)]).nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() })
    .nullish(),
  suffix: z.string().nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: z.string().optional(),
});
type CompletionBody = z.infer<typeof body>;

/** `POST /v1/completions`, the legacy one: `max_tokens` is 16 unless told otherwise. */
export const acceptCompletions: AcceptStateless = (request) => {
  const read = readStateless(body, request.fields, COMPLETION_MODELS);
  if ('status' in read) return read;
  const completion = read.body;
  const { model } = completion;
  if (completion.stream_options != null && completion.stream !== true) {
    return bad("The 'stream_options' parameter is only allowed when 'stream' is enabled.", 'stream_options');
  }
  if (completion.suffix != null && model !== 'gpt-3.5-turbo-instruct') {
    return bad('This model does not support the suffix parameter.', 'suffix');
  }
  if (completion.best_of != null && completion.best_of < (completion.n ?? 1)) {
    return bad('You requested that the server return more choices than it will generate.', 'best_of');
  }
  const prompts = promptsOf(completion.prompt);
  const maxTokens = completion.max_tokens ?? 16;
  const tokens = prompts.reduce((sum, prompt) => sum + countTokens(prompt, 'plain'), 0);
  const window = CONTEXT[model] ?? OTHER_CONTEXT;
  if (tokens + maxTokens > window) {
    return bad(
      `This model's maximum context length is ${window} tokens, however you requested ${tokens + maxTokens} tokens (${tokens} in your prompt; ${maxTokens} for the completion). Please reduce your prompt; or completion length.`,
      null,
      'context_length_exceeded',
    );
  }
  const stop = completion.stop ?? [];
  return statelessExchange(request, {
    api: 'openai-completions',
    model,
    stream: completion.stream === true,
    asked: prompts.join('\n'),
    inputTokens: tokens,
    maxTokens,
    stop: typeof stop === 'string' ? [stop] : stop,
    says: ` (a simulated completion of ${model}; no model was called)`,
    answer: (reply, usage) => completionAnswer(completion, prompts, reply, usage, request.now),
  });
};

function promptsOf(prompt: CompletionBody['prompt']): string[] {
  if (prompt === null || typeof prompt === 'string') return [prompt ?? ''];
  if (typeof prompt[0] === 'number') return [JSON.stringify(prompt)];
  return prompt.map((one) => (typeof one === 'string' ? one : JSON.stringify(one)));
}

function completionAnswer(
  completion: CompletionBody,
  prompts: readonly string[],
  reply: Reply,
  counted: TokenUsage | null,
  now: number,
) {
  const envelope = {
    id: freshId('cmpl-sim'),
    object: 'text_completion',
    created: Math.floor(now / 1_000),
    model: completion.model,
  };
  const finish =
    reply.stop === 'length' ? 'length' : reply.stop === 'content_filter' ? 'content_filter' : 'stop';
  const n = completion.n ?? 1;
  const text = textOf(reply);
  const all = prompts.flatMap((prompt) =>
    Array.from({ length: n }, () => (completion.echo === true ? prompt + text : text)),
  );
  const usage = counted === null ? undefined : usageOf(counted, all.length);
  const choice = (index: number, text: string, finish_reason: string | null) => ({
    text,
    index,
    logprobs: null,
    finish_reason,
  });
  function* frames(): Generator<Frame> {
    const wantsUsage = completion.stream_options?.include_usage === true && usage !== undefined;
    const chunk = (choices: object[], more: object = wantsUsage ? { usage: null } : {}) => ({
      data: { ...envelope, choices, ...more },
    });
    for (const [index, text] of all.entries()) {
      for (const word of words(text)) yield chunk([choice(index, word, null)]);
      yield chunk([choice(index, '', finish)]);
    }
    if (wantsUsage) yield chunk([], { usage });
    yield { data: '[DONE]' };
  }
  return {
    body: { ...envelope, choices: all.map((text, index) => choice(index, text, finish)), usage },
    frames: frames(),
  };
}

function usageOf(counted: TokenUsage, answers: number) {
  const completion = counted.output * answers;
  return {
    prompt_tokens: counted.fresh,
    completion_tokens: completion,
    total_tokens: counted.fresh + completion,
  };
}
