import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pace } from './answering.ts';
import { answer } from './answering.ts';
import { anthropicErrors, anthropicHeaders } from './anthropic/errors.ts';
import { acceptMessages, anthropicCaller, countMessages } from './anthropic/messages.ts';
import { claudeModelList, modelInfo } from './anthropic/model-list.ts';
import { claudeModel } from './anthropic/models.ts';
import type { Clock } from './clock.ts';
import { virtualClock } from './clock.ts';
import type { ErrorWire, Exchange } from './exchange.ts';
import type { JournalEntry } from './journal.ts';
import { Journal } from './journal.ts';
import { openaiCaller } from './openai/caller.ts';
import { acceptChat } from './openai/chat.ts';
import { openaiErrors, openaiHeaders } from './openai/errors.ts';
import { gptModel, gptModelList, modelObject } from './openai/models.ts';
import { acceptResponses } from './openai/responses.ts';
import { modelNotFound } from './openai/rules-model.ts';
import { StoredResponses } from './openai/stored-responses.ts';
import type { SimulatorOptions } from './options.ts';
import { PromptCache } from './prompt-cache.ts';
import type { Refusal } from './refusal.ts';
import { Script } from './script.ts';
import { readBody, sendJson } from './wire.ts';

/** Anthropic's limit on a body (aDoc:errors); OpenAI's isn't documented and taken to be the same. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Requests kept unless told otherwise. */
const KEEP = 2_000;

/** What a request on a provider's path needs. */
interface Visit {
  request: IncomingMessage;
  response: ServerResponse;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  journal: JournalEntry;
}

/** Both providers behind one port, told apart by path (and `/v1/models` by `anthropic-version`). */
export class Simulator {
  readonly clock: Clock;
  readonly script = new Script();
  readonly journal: Journal;
  readonly cache = new PromptCache();
  readonly stored = new StoredResponses();
  readonly #pace: Pace;

  constructor(options: SimulatorOptions) {
    this.clock = virtualClock(options.startAt);
    this.journal = new Journal(options.keep ?? KEEP);
    this.#pace = options.latency ?? { firstMs: 0, betweenMs: 0 };
    this.script.add(options.script ?? []);
  }

  /** Serves one request to a provider. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const now = this.clock.now();
    const headers = plainHeaders(request);
    const body = await readBody(request, MAX_BODY_BYTES);
    const journal = this.journal.open(
      {
        at: new Date(now).toISOString(),
        method: request.method ?? '',
        path: url.pathname + url.search,
        headers,
      },
      body?.length ?? 0,
    );
    response.once('close', () => {
      if (journal.ended === 'open') journal.ended = response.writableFinished ? 'complete' : 'left';
    });
    const visit: Visit = { request, response, path: url.pathname, query: url.searchParams, headers, journal };
    const isAnthropic = /^\/v1\/messages(\/|$)/.test(url.pathname) || 'anthropic-version' in headers;
    const wireHeaders = isAnthropic ? anthropicHeaders(now) : openaiHeaders();
    const errors: ErrorWire = isAnthropic
      ? anthropicErrors(wireHeaders['request-id'] ?? '')
      : openaiErrors(url.pathname === '/v1/responses' ? 'responses' : 'chat');
    const refuse = (refusal: Refusal) => {
      journal.status = refusal.status;
      journal.error = refusal.message;
      sendJson(response, refusal.status, errors.body(refusal), wireHeaders);
    };
    if (body === undefined) return refuse(errors.usual(413));
    if (body !== '') noteBody(journal, body);

    if (request.method === 'GET') {
      const found = isAnthropic ? anthropicModels(visit, now) : openaiModels(visit, now);
      if (isRefusal(found)) return refuse(found);
      journal.status = 200;
      return sendJson(response, 200, found, wireHeaders);
    }
    if (request.method === 'POST' && url.pathname === '/v1/messages/count_tokens') {
      const counted = countMessages(body, headers, now);
      if (isRefusal(counted)) return refuse(counted);
      journal.status = 200;
      return sendJson(response, 200, counted, wireHeaders);
    }
    const exchange = request.method === 'POST' ? this.#accept(visit, body, now) : undefined;
    if (exchange === undefined) return refuse(noSuchPath(visit, isAnthropic));
    if (isRefusal(exchange)) return refuse(exchange);
    await answer(exchange, this.script.take(exchange.ask), {
      response,
      headers: wireHeaders,
      errors,
      journal,
      pace: this.#pace,
    });
  }

  #accept(visit: Visit, body: string, now: number): Exchange | Refusal | undefined {
    switch (visit.path) {
      case '/v1/messages':
        return acceptMessages(body, visit.headers, this.cache, now);
      case '/v1/chat/completions':
        return acceptChat(body, visit.headers, this.cache, now);
      case '/v1/responses':
        return acceptResponses(body, visit.headers, this.cache, this.stored, now);
      default:
        return undefined;
    }
  }
}

function anthropicModels(visit: Visit, now: number): object {
  const caller = anthropicCaller(visit.headers);
  if ('status' in caller) return caller;
  if (visit.path === '/v1/models') return claudeModelList(now, Number(visit.query.get('limit') ?? 20));
  const id = /^\/v1\/models\/([^/]+)$/.exec(visit.path)?.[1];
  if (id === undefined) return noSuchPath(visit, true);
  const model = claudeModel(decodeURIComponent(id), now);
  return model === undefined ? { status: 404, message: `model: ${id}` } : modelInfo(model);
}

function openaiModels(visit: Visit, now: number): object {
  const caller = openaiCaller(visit.headers);
  if ('status' in caller) return caller;
  if (visit.path === '/v1/models') return gptModelList(now);
  const id = /^\/v1\/models\/([^/]+)$/.exec(visit.path)?.[1];
  if (id === undefined) return noSuchPath(visit, false);
  const model = gptModel(decodeURIComponent(id), now);
  return model === undefined ? modelNotFound(id) : modelObject(model);
}

function noSuchPath({ request, path }: Visit, isAnthropic: boolean): Refusal {
  return isAnthropic
    ? { status: 404, message: 'Not found' }
    : { status: 404, message: `Invalid URL (${request.method} ${path})`, code: null };
}

function isRefusal(value: object): value is Refusal {
  return 'status' in value && typeof value.status === 'number' && 'message' in value;
}

function noteBody(journal: JournalEntry, body: string): void {
  try {
    const parsed: unknown = JSON.parse(body);
    journal.body = parsed;
    if (
      parsed !== null &&
      typeof parsed === 'object' &&
      'model' in parsed &&
      typeof parsed.model === 'string'
    ) {
      journal.model = parsed.model;
    }
  } catch {
    journal.body = body;
  }
}

function plainHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
