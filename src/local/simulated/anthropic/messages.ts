import type { ZodType } from 'zod';
import { digest } from '../digest.ts';
import type { Exchange } from '../exchange.ts';
import type { PromptCache } from '../prompt-cache.ts';
import type { Refusal } from '../refusal.ts';
import { firstProblem } from '../shape-problem.ts';
import type { AnthropicRequest, ApiVersion } from './accepted.ts';
import { API_VERSIONS } from './accepted.ts';
import type { Account } from './account.ts';
import { newAccount } from './account.ts';
import { messageAnswer } from './answer.ts';
import { planCache } from './cache.ts';
import { shapeMessage } from './errors.ts';
import { claudeModel } from './models.ts';
import type { Prompt } from './prompt.ts';
import { layOut } from './prompt.ts';
import type { CountTokensBody, MessagesBody } from './request.ts';
import { countTokensBody, messagesBody } from './request.ts';
import { CACHE_RULES } from './rules-cache.ts';
import { DOCUMENT_RULES, missingFile } from './rules-documents.ts';
import { MODEL_RULES, promptTooLong } from './rules-model.ts';
import { SCHEMA_RULES } from './rules-schema.ts';
import { firstComplaint, SHAPE_RULES } from './rules-shape.ts';
import { THINKING_RULES } from './rules-thinking.ts';
import { TOOL_RULES } from './rules-tools.ts';
import { askOf } from './turns.ts';

export type Headers = Record<string, string>;

/** Checks who asks and in which version. Key as Bearer or `x-api-key`; a missing version is a 400 (providers.md §3). */
export function anthropicCaller(headers: Headers): { key: string; version: ApiVersion } | Refusal {
  const key = headers['x-api-key'] ?? /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  if (key === '') return { status: 401, message: 'x-api-key header is required' };
  if (key.startsWith('sk-invalid')) return { status: 401, message: 'invalid x-api-key' };
  const sent = headers['anthropic-version'];
  if (sent === undefined) return { status: 400, message: 'anthropic-version: header is required' };
  const version = API_VERSIONS.find((one) => one === sent);
  return version === undefined
    ? { status: 400, message: `anthropic-version: "${sent}" is not a valid version` }
    : { key, version };
}

/** Takes a body of `POST /v1/messages` through every rule. */
export function acceptMessages(
  raw: string,
  headers: Headers,
  cache: PromptCache,
  now: number,
  account: Account = newAccount(),
): Exchange | Refusal {
  const accepted = accept(raw, headers, messagesBody, false, now, account);
  if ('status' in accepted) return accepted;
  const { request, prompt, key } = accepted;
  const { input, begun } = planCache(request, prompt, cache, now);
  const missed = account.fingerprints.compare(request, prompt, input.read);
  return {
    ask: askOf(request, prompt.tokens),
    input,
    key,
    begun,
    answer: (reply, usage) => {
      const said = messageAnswer(request, prompt, reply, usage, missed);
      account.fingerprints.keep(request, prompt, said.body.id);
      return said;
    },
  };
}

/** Takes a body of `POST /v1/messages/count_tokens` through the rules that apply: free, and caching plays no part. */
export function countMessages(
  raw: string,
  headers: Headers,
  now: number,
  account: Account = newAccount(),
): { input_tokens: number } | Refusal {
  const accepted = accept(raw, headers, countTokensBody, true, now, account);
  return 'status' in accepted ? accepted : { input_tokens: accepted.prompt.tokens };
}

function accept(
  raw: string,
  headers: Headers,
  schema: ZodType<MessagesBody> | ZodType<CountTokensBody>,
  counting: boolean,
  now: number,
  account: Account,
): { request: AnthropicRequest; prompt: Prompt; key: string } | Refusal {
  const caller = anthropicCaller(headers);
  if ('status' in caller) return caller;
  const betas = (headers['anthropic-beta'] ?? '')
    .split(',')
    .map((beta) => beta.trim())
    .filter(Boolean);
  // An open list: newer betas than this file must pass (ccDoc); what is no beta's name at all must not.
  const strange = betas.find((beta) => !/^[a-z0-9-]+-(\d{4}-\d{2}-\d{2}|\d{8})$/.test(beta));
  if (strange !== undefined) {
    return bad(`Unexpected value(s) \`${strange}\` for the \`anthropic-beta\` header.`);
  }
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    return bad('The request body is not valid JSON.');
  }
  const shape = schema.safeParse(json);
  if (!shape.success) return bad(shapeMessage(firstProblem(shape.error, json), json));
  const body = shape.data;
  const model = claudeModel(body.model, now);
  if (model === undefined) return { status: 404, message: `model: ${body.model}` };
  const request: AnthropicRequest = {
    body,
    counting,
    model,
    version: caller.version,
    betas,
    organisation: digest(caller.key),
    account,
  };
  const rules = [...SHAPE_RULES, ...DOCUMENT_RULES, ...TOOL_RULES, ...MODEL_RULES, ...SCHEMA_RULES];
  const complaint = firstComplaint(rules, request);
  if (complaint !== undefined) return bad(complaint);
  const missing = missingFile(request);
  if (missing !== undefined) return missing;
  const prompt = layOut(request);
  for (const rule of [...CACHE_RULES, ...THINKING_RULES]) {
    const problem = rule(request, prompt);
    if (problem !== undefined) return bad(problem);
  }
  const tooLong = promptTooLong(request, prompt.tokens);
  return tooLong === undefined ? { request, prompt, key: caller.key } : bad(tooLong);
}

function bad(message: string): Refusal {
  return { status: 400, message };
}
