import { digest } from '../digest.ts';
import type { Exchange, WireAnswer } from '../exchange.ts';
import type { PromptCache } from '../prompt-cache.ts';
import type { Refusal } from '../refusal.ts';
import type { Reply } from '../reply.ts';
import { firstProblem } from '../shape-problem.ts';
import { StoredObjects } from '../stored-objects.ts';
import type { TokenUsage } from '../usage.ts';
import { cacheScope, planCache } from './cache.ts';
import type { CacheDiagnosis, ComparedRequest } from './cache-diagnostics.ts';
import { openaiCaller, readJson } from './caller.ts';
import { bad, shapeRefusal } from './errors.ts';
import type { GptModel } from './models.ts';
import { gptModel } from './models.ts';
import { incompleteReason, outputItems, responseEnvelope, responseUsage } from './responses-answer.ts';
import { askOfResponses, itemsOf, layOutResponses, responsesMarks } from './responses-prompt.ts';
import type { InputItem, ResponsesBody } from './responses-request.ts';
import { responsesBody } from './responses-request.ts';
import { responseFrames } from './responses-stream.ts';
import { conversationOf, inputRefusal, missingObject, responsesInputs } from './rules-inputs.ts';
import { itemNotFound } from './rules-items.ts';
import { isReasoning, modelNotFound, modelRefusal } from './rules-model.ts';
import { movedField, responsesRefusal } from './rules-responses.ts';
import type { StoredResponses } from './stored-responses.ts';

/** Takes a body of `POST /v1/responses` through every rule. */
export function acceptResponses(
  raw: string,
  headers: Record<string, string>,
  cache: PromptCache,
  stored: StoredResponses,
  now: number,
  objects = new StoredObjects(),
): Exchange | Refusal {
  const caller = openaiCaller(headers);
  if ('status' in caller) return caller;
  const read = readJson(raw);
  if ('status' in read) return read;
  const shape = responsesBody.safeParse(read.json);
  if (!shape.success) {
    const problem = firstProblem(shape.error, read.json);
    const moved = problem.kind === 'unknown' ? movedField(problem.path.map(String).join('.')) : undefined;
    return moved ?? shapeRefusal(problem, 'responses');
  }
  const body = shape.data;
  const organisation = digest(caller.key);
  const model = gptModel(body.model, now);
  if (model === undefined) return modelNotFound(body.model);
  const missing = missingObject(body, organisation, objects);
  if (missing !== undefined) return missing;
  const items = wholeInput(body, organisation, stored);
  if ('status' in items) return items;
  const refusal =
    modelRefusal({
      model,
      effort: { param: 'reasoning.effort', value: body.reasoning?.effort },
      verbosity: { param: 'text.verbosity', value: body.text?.verbosity },
      temperature: body.temperature,
      top_p: body.top_p,
      logprobs: body.include?.includes('message.output_text.logprobs'),
      top_logprobs: body.top_logprobs,
      maxTokens: { param: 'max_output_tokens', value: body.max_output_tokens },
      cacheOptions: body.prompt_cache_options,
      retention: body.prompt_cache_retention,
      marks: responsesMarks(itemsOf(body.input)),
    }) ??
    responsesRefusal({ body, model, organisation, items: items.items, stored }) ??
    inputRefusal(responsesInputs(items.items), organisation, objects);
  if (refusal !== undefined) return refusal;

  const layout = layOutResponses(body, model, items.items);
  // `auto` cuts the oldest items away; what that leaves isn't simulated.
  if (layout.tokens > model.maxInput && body.truncation !== 'auto') {
    return bad(
      'Your input exceeds the context window of this model. Please adjust your input and try again.',
      'input',
      'context_length_exceeded',
    );
  }
  const effort = body.reasoning?.effort ?? model.defaultEffort;
  const scope = cacheScope({
    organisation,
    model: model.id,
    promptCacheKey: body.prompt_cache_key,
    parallel: body.parallel_tool_calls ?? true,
    format: body.text?.format,
    effort,
    verbosity: body.text?.verbosity,
    serviceTier: body.service_tier,
  });
  const { input, begun } = planCache(
    {
      model,
      scope,
      mode: body.prompt_cache_options?.mode ?? 'implicit',
      ttl: body.prompt_cache_options?.ttl ?? '30m',
      retention: body.prompt_cache_retention ?? '24h',
    },
    layout,
    cache,
    now,
  );
  const compared: ComparedRequest = {
    model_changed: model.id,
    prompt_cache_key_changed: body.prompt_cache_key ?? '',
    tools_changed: JSON.stringify([body.tools ?? [], body.parallel_tool_calls ?? true]),
    text_format_changed: JSON.stringify(body.text?.format ?? null),
    reasoning_effort_changed: effort ?? '',
    verbosity_changed: body.text?.verbosity ?? 'medium',
    service_tier_changed: body.service_tier ?? 'auto',
  };
  const other = body.prompt_cache_options?.comparison_response_id;
  const diagnosis =
    other == null ? undefined : stored.comparisons.compare(organisation, other, compared, layout, input.read);
  const accepted: Accepted = {
    body,
    model,
    effort,
    organisation,
    items: items.items,
    stored,
    objects,
    now,
    diagnosis,
    keep: (id) => stored.comparisons.keep(organisation, id, compared, layout),
  };
  const ask = askOfResponses(body, model, items.items, layout.tokens);
  // Fills the cache and says nothing.
  if (body.prompt_cache_options?.prewarm === true) ask.maxTokens = 0;
  return {
    ask,
    input,
    key: caller.key,
    begun,
    answer: (reply, usage) => responseAnswer(accepted, reply, usage),
  };
}

interface Accepted {
  body: ResponsesBody;
  model: GptModel;
  effort: string | null;
  organisation: string;
  items: InputItem[];
  stored: StoredResponses;
  objects: StoredObjects;
  now: number;
  diagnosis: CacheDiagnosis | undefined;
  /** Keeps the request for later comparisons, under the id of its response. */
  keep(id: string): void;
}

/** What an earlier response holds, then the input, with references looked up. Instructions aren't inherited. */
function wholeInput(
  body: ResponsesBody,
  organisation: string,
  stored: StoredResponses,
): { items: InputItem[] } | Refusal {
  const items: InputItem[] = [];
  const previous = body.previous_response_id;
  if (previous != null) {
    const said = stored.conversation(organisation, previous);
    if (said === undefined) {
      return bad(
        `Previous response with id '${previous}' not found.`,
        'previous_response_id',
        'previous_response_not_found',
      );
    }
    items.push(...said);
  }
  const conversation = conversationOf(body);
  if (conversation !== undefined) items.push(...(stored.conversation(organisation, conversation) ?? []));
  for (const item of itemsOf(body.input)) {
    const found = item.type === 'item_reference' ? stored.item(organisation, item.id) : item;
    if (found === undefined) return itemNotFound(item.type === 'item_reference' ? item.id : '');
    items.push(found);
  }
  return { items };
}

function responseAnswer(accepted: Accepted, reply: Reply, counted: TokenUsage | null): WireAnswer {
  const { body, model, effort, organisation, now } = accepted;
  const output = outputItems(body, organisation, reply);
  const envelope = {
    ...responseEnvelope(body, isReasoning(model) ? effort : null, model.cache.kind === 'breakpoints', now),
    ...(accepted.diagnosis === undefined ? {} : { prompt_cache_diagnostics: accepted.diagnosis }),
    ...reply.extra,
  };
  const isPrewarm = body.prompt_cache_options?.prewarm === true;
  const reason = isPrewarm ? undefined : incompleteReason(reply);
  const finished = {
    ...envelope,
    status: reason === undefined ? 'completed' : 'incomplete',
    completed_at: reason === undefined ? Math.floor(now / 1_000) : null,
    incomplete_details: reason === undefined ? null : { reason },
    output,
    usage: counted === null ? undefined : responseUsage(counted),
  };
  const started = {
    ...envelope,
    status: body.background === true ? 'queued' : 'in_progress',
    completed_at: null,
    incomplete_details: null,
    output: [],
  };
  accepted.keep(envelope.id);
  if (body.store !== false) {
    const { stored, objects, items } = accepted;
    stored.save(organisation, envelope.id, items, output);
    const conversation = conversationOf(body);
    if (conversation !== undefined) stored.save(organisation, conversation, items, output);
    objects.keepAnswer(organisation, '/v1/responses', envelope.id, finished);
  }
  return {
    // In the background the answer is fetched later, by id.
    body: body.background === true ? started : finished,
    frames: responseFrames(
      started,
      finished,
      output,
      reply,
      body.stream_options?.include_obfuscation !== false,
    ),
    failed: ({ code, message }, count) => {
      const response = { ...started, status: 'failed', error: { code: code ?? 'server_error', message } };
      const data = { type: 'response.failed', sequence_number: count, response };
      return { body: response, frame: { event: 'response.failed', data } };
    },
  };
}
