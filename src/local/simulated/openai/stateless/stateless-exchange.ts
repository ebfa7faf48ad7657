import type { ZodType } from 'zod';
import type { Api, Ask } from '../../ask.ts';
import type { Exchange, WireAnswer } from '../../exchange.ts';
import type { Refusal } from '../../refusal.ts';
import type { Content, Reply } from '../../reply.ts';
import type { RequestFields } from '../../request-body.ts';
import { firstProblem } from '../../shape-problem.ts';
import type { TokenUsage } from '../../usage.ts';
import { tokenUsage } from '../../usage.ts';
import { shapeRefusal } from '../errors.ts';
import { modelNotFound } from '../rules-model.ts';

/** A request to an endpoint that keeps nothing and holds no conversation. */
export interface StatelessRequest extends RequestFields {
  key: string;
  now: number;
}

/** Takes one through its endpoint's rules. */
export type AcceptStateless = (request: StatelessRequest) => Exchange | Refusal;

/** What an endpoint says of a request it took. */
interface Taken {
  api: Api;
  model: string;
  stream?: boolean;
  /** What was asked, for scripts to match by. */
  asked: string;
  inputTokens: number;
  maxTokens?: number;
  stop?: string[];
  /** What is said without a script; nothing where the answer is no text. */
  says?: string;
  answer(reply: Reply, usage: TokenUsage | null): WireAnswer;
}

/** An exchange of an endpoint without tools, thinking or prompt cache. */
export function statelessExchange({ key }: StatelessRequest, taken: Taken): Exchange {
  const says: Content = { text: taken.says ?? '' };
  const ask: Ask = {
    api: taken.api,
    model: taken.model,
    stream: taken.stream === true,
    turns: [{ role: 'user', text: taken.asked }],
    callIds: [],
    tools: [],
    toolChoice: { type: 'none' },
    format: { type: 'text' },
    maxTokens: taken.maxTokens ?? Number.MAX_SAFE_INTEGER,
    windowLeft: Number.MAX_SAFE_INTEGER,
    stop: taken.stop ?? [],
    thinkingTokens: 0,
    tokenizer: 'plain',
  };
  return {
    ask,
    input: tokenUsage({ fresh: taken.inputTokens }),
    key,
    improvise: () => says,
    begun: () => {},
    answer: taken.answer,
  };
}

/** Reads a body by its schema and its model by the endpoint's list of them. */
export function readStateless<Body extends { model: string }>(
  schema: ZodType<Body>,
  fields: Record<string, unknown>,
  models: readonly string[],
): { body: Body } | Refusal {
  const read = schema.safeParse(fields);
  if (!read.success) return shapeRefusal(firstProblem(read.error, fields), 'responses');
  return models.includes(read.data.model) ? { body: read.data } : modelNotFound(read.data.model);
}
