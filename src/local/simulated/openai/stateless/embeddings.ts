import { createHash } from 'node:crypto';
import { z } from 'zod';
import { countTokens } from '../../tokens.ts';
import { bad } from '../errors.ts';
import type { AcceptStateless } from './stateless-exchange.ts';
import { readStateless, statelessExchange } from './stateless-exchange.ts';

/** Models and their dimensions (oSDK `EmbeddingModel`; oDoc:embeddings). */
const DIMENSIONS: Record<string, number> = {
  'text-embedding-3-small': 1_536,
  'text-embedding-3-large': 3_072,
  'text-embedding-ada-002': 1_536,
};
export const EMBEDDING_MODELS = Object.keys(DIMENSIONS);

/** oSDK `EmbeddingCreateParams.input`: 8,192 tokens an input, 2,048 inputs, 300,000 tokens in all. */
const MAX_INPUT_TOKENS = 8_192;
const MAX_INPUTS = 2_048;
const MAX_TOKENS = 300_000;

const body = z.strictObject({
  model: z.string(),
  input: z.union([
    z.string().min(1),
    z.array(z.string().min(1)).min(1).max(MAX_INPUTS),
    z.array(z.number().int()).min(1),
    z.array(z.array(z.number().int()).min(1)).min(1).max(MAX_INPUTS),
  ]),
  dimensions: z.number().int().min(1).optional(),
  encoding_format: z.enum(['float', 'base64']).optional(),
  user: z.string().optional(),
});

/** `POST /v1/embeddings`: the same unit vector for the same text. */
export const acceptEmbeddings: AcceptStateless = (request) => {
  const read = readStateless(body, request.fields, EMBEDDING_MODELS);
  if ('status' in read) return read;
  const { model, input, dimensions, encoding_format } = read.body;
  const inputs = inputsOf(input);
  const counts = inputs.map((one) => (typeof one === 'string' ? countTokens(one, 'plain') : one.length));
  const most = Math.max(...counts);
  const tokens = counts.reduce((sum, count) => sum + count, 0);
  if (most > MAX_INPUT_TOKENS) {
    return bad(
      `This model's maximum context length is ${MAX_INPUT_TOKENS} tokens, however you requested ${most} tokens (${most} in your prompt; 0 for the completion). Please reduce your prompt; or completion length.`,
      null,
    );
  }
  if (tokens > MAX_TOKENS) {
    return bad(
      `Requested ${tokens} tokens, max ${MAX_TOKENS} tokens per request`,
      null,
      'max_tokens_per_request',
    );
  }
  const whole = DIMENSIONS[model] ?? 0;
  if (dimensions !== undefined && model === 'text-embedding-ada-002') {
    return bad('This model does not support specifying dimensions.', 'dimensions');
  }
  if (dimensions !== undefined && dimensions > whole) {
    return bad(
      `Invalid value for 'dimensions' = ${dimensions}. Must be less than or equal to ${whole}.`,
      'dimensions',
    );
  }
  return statelessExchange(request, {
    api: 'openai-embeddings',
    model,
    asked: inputs.map((one) => (typeof one === 'string' ? one : JSON.stringify(one))).join('\n'),
    inputTokens: tokens,
    answer: (_reply, usage) => ({
      body: {
        object: 'list',
        data: inputs.map((one, index) => {
          const vector = vectorOf(`${model} ${JSON.stringify(one)}`, dimensions ?? whole);
          const embedding = encoding_format === 'base64' ? base64(vector) : [...vector];
          return { object: 'embedding', index, embedding };
        }),
        model,
        usage: usage === null ? undefined : { prompt_tokens: usage.fresh, total_tokens: usage.fresh },
      },
      frames: [],
    }),
  });
};

function inputsOf(input: z.infer<typeof body>['input']): (string | number[])[] {
  if (typeof input === 'string') return [input];
  const isTokens = (list: typeof input): list is number[] => typeof list[0] === 'number';
  return isTokens(input) ? [input] : input;
}

/** A unit vector out of a hash: like texts are no nearer than others. */
function vectorOf(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions);
  for (let at = 0; at < dimensions; at += 32) {
    const bytes = createHash('sha256').update(`${at} ${text}`).digest();
    for (const [place, byte] of bytes.entries())
      if (at + place < dimensions) vector[at + place] = byte - 127.5;
  }
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}

function base64(vector: Float32Array): string {
  return Buffer.from(vector.buffer).toString('base64');
}
