import { digest } from '../digest.ts';
import type { Exchange } from '../exchange.ts';
import type { PromptCache } from '../prompt-cache.ts';
import type { Refusal } from '../refusal.ts';
import { firstProblem } from '../shape-problem.ts';
import { StoredObjects } from '../stored-objects.ts';
import { cacheScope, planCache } from './cache.ts';
import { openaiCaller, readJson } from './caller.ts';
import { chatAnswer } from './chat-answer.ts';
import { askOfChat, chatMarks, layOutChat } from './chat-prompt.ts';
import { chatBody } from './chat-request.ts';
import { bad, shapeRefusal } from './errors.ts';
import { gptModel } from './models.ts';
import { chatRefusal } from './rules-chat.ts';
import { chatInputs, inputRefusal } from './rules-inputs.ts';
import { modelNotFound, modelRefusal } from './rules-model.ts';

/** Takes a body of `POST /v1/chat/completions` through every rule. */
export function acceptChat(
  raw: string,
  headers: Record<string, string>,
  cache: PromptCache,
  now: number,
  objects = new StoredObjects(),
): Exchange | Refusal {
  const caller = openaiCaller(headers);
  if ('status' in caller) return caller;
  const read = readJson(raw);
  if ('status' in read) return read;
  const shape = chatBody.safeParse(read.json);
  if (!shape.success) return shapeRefusal(firstProblem(shape.error, read.json), 'chat');
  const body = shape.data;
  const model = gptModel(body.model, now);
  if (model === undefined) return modelNotFound(body.model);
  const organisation = digest(caller.key);
  const refusal =
    modelRefusal({
      model,
      effort: { param: 'reasoning_effort', value: body.reasoning_effort },
      verbosity: { param: 'verbosity', value: body.verbosity },
      temperature: body.temperature,
      top_p: body.top_p,
      logprobs: body.logprobs,
      top_logprobs: body.top_logprobs,
      maxTokens:
        body.max_completion_tokens == null
          ? { param: 'max_tokens', value: body.max_tokens }
          : { param: 'max_completion_tokens', value: body.max_completion_tokens },
      cacheOptions: body.prompt_cache_options,
      retention: body.prompt_cache_retention,
      marks: chatMarks(body),
    }) ??
    chatRefusal(body, model) ??
    inputRefusal(chatInputs(body), organisation, objects);
  if (refusal !== undefined) return refusal;

  const layout = layOutChat(body);
  if (layout.tokens > model.maxInput) {
    return bad(
      `This model's maximum context length is ${model.maxInput} tokens. However, your messages resulted in ${layout.tokens} tokens. Please reduce the length of the messages.`,
      'messages',
      'context_length_exceeded',
    );
  }
  const { input, begun } = planCache(
    {
      model,
      scope: cacheScope({
        organisation,
        model: model.id,
        promptCacheKey: body.prompt_cache_key,
        parallel: body.parallel_tool_calls ?? true,
        format: body.response_format,
        effort: body.reasoning_effort ?? model.defaultEffort,
        verbosity: body.verbosity,
        serviceTier: body.service_tier,
      }),
      mode: body.prompt_cache_options?.mode ?? 'implicit',
      ttl: body.prompt_cache_options?.ttl ?? '30m',
      retention: body.prompt_cache_retention ?? '24h',
    },
    layout,
    cache,
    now,
  );
  return {
    ask: askOfChat(body, model, layout.tokens),
    input,
    key: caller.key,
    begun,
    answer: (reply, usage) => {
      const said = chatAnswer(body, reply, usage, now);
      if (body.store === true) {
        objects.keepAnswer(organisation, '/v1/chat/completions', said.body.id, said.body);
      }
      return said;
    },
  };
}
