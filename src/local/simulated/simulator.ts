import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Pace } from './answering.ts';
import { answer } from './answering.ts';
import type { Account } from './anthropic/account.ts';
import { newAccount } from './anthropic/account.ts';
import { anthropicErrors, anthropicHeaders } from './anthropic/errors.ts';
import { acceptMessages, anthropicCaller, countMessages } from './anthropic/messages.ts';
import { claudeModelList, modelInfo } from './anthropic/model-list.ts';
import { claudeModel } from './anthropic/models.ts';
import type { Clock } from './clock.ts';
import { virtualClock } from './clock.ts';
import { digest } from './digest.ts';
import type { ErrorWire, Exchange } from './exchange.ts';
import type { JournalEntry } from './journal.ts';
import { Journal } from './journal.ts';
import { openaiCaller } from './openai/caller.ts';
import { acceptChat } from './openai/chat.ts';
import { openaiErrors, openaiHeaders } from './openai/errors.ts';
import { gptModel, gptModelList, modelObject } from './openai/models.ts';
import { acceptResponses } from './openai/responses.ts';
import { modelNotFound } from './openai/rules-model.ts';
import { acceptStateless, STATELESS_MODELS } from './openai/stateless/endpoints.ts';
import { StoredResponses } from './openai/stored-responses.ts';
import type { SimulatorOptions } from './options.ts';
import { PromptCache } from './prompt-cache.ts';
import type { Refusal } from './refusal.ts';
import type { RequestFields } from './request-body.ts';
import { readFields } from './request-body.ts';
import { Script } from './script.ts';
import { readBody, sendJson } from './wire.ts';

/** Anthropic's limit on a body (aDoc:errors); OpenAI's isn't documented and taken to be the same. */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Requests kept unless told otherwise. */
const KEEP = 2_000;

/** What a request on a provider's path needs. */
interface Visit {
  request: IncomingMessage;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string>;
  /** The body, read as text. */
  text: string;
}

/** Both providers behind one port, told apart by path (and `/v1/models` by `anthropic-version`). */
export class Simulator {
  readonly clock: Clock;
  readonly script = new Script();
  readonly journal: Journal;
  readonly cache = new PromptCache();
  readonly stored = new StoredResponses();
  readonly account: Account = newAccount();
  readonly objects = this.account.objects;
  readonly #pace: Pace;

  constructor(options: SimulatorOptions) {
    this.clock = virtualClock(options.startAt);
    this.journal = new Journal(options.keep ?? KEEP);
    this.#pace = options.latency ?? { firstMs: 0, betweenMs: 0 };
    this.script.add(options.script ?? []);
    this.account.prefixCheck = options.prefixCheck ?? true;
  }

  /** Serves one request to a provider. */
  async serve(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const now = this.clock.now();
    const headers = plainHeaders(request);
    const raw = await readBody(request, MAX_BODY_BYTES);
    const journal = this.journal.open(
      {
        at: new Date(now).toISOString(),
        method: request.method ?? '',
        path: url.pathname + url.search,
        headers,
      },
      raw?.length ?? 0,
    );
    response.once('close', () => {
      if (journal.ended === 'open') journal.ended = response.writableFinished ? 'complete' : 'left';
    });
    const visit: Visit = {
      request,
      path: url.pathname,
      query: url.searchParams,
      headers,
      text: raw?.toString('utf8') ?? '',
    };
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
    if (raw === undefined) return refuse(errors.usual(413));
    const read = await readFields(raw, headers);
    noteBody(journal, raw, read);

    const found = this.#look(visit, read, isAnthropic, now);
    if (found !== undefined) {
      if (isRefusal(found)) return refuse(found);
      journal.status = 200;
      const type = found instanceof Uint8Array ? { 'content-type': 'application/octet-stream' } : {};
      return sendJson(response, 200, found, { ...wireHeaders, ...type });
    }
    const exchange = request.method === 'POST' ? await this.#accept(visit, raw, now) : undefined;
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

  /** What is answered without a model: counts, lists of models, stored objects. */
  #look(
    visit: Visit,
    read: RequestFields | undefined,
    isAnthropic: boolean,
    now: number,
  ): object | Refusal | undefined {
    const { path, headers } = visit;
    const method = visit.request.method ?? '';
    if (method === 'POST' && path === '/v1/messages/count_tokens') {
      return countMessages(visit.text, headers, now, this.account);
    }
    if (method === 'GET' && /^\/v1\/models(\/|$)/.test(path)) {
      return isAnthropic ? anthropicModels(visit, now) : openaiModels(visit, now);
    }
    const caller = isAnthropic ? anthropicCaller(headers) : openaiCaller(headers);
    if ('status' in caller) return caller;
    const organisation = digest(caller.key);
    const [file] = Object.values(read?.files ?? {});
    const found = this.objects.serve({
      provider: isAnthropic ? 'anthropic' : 'openai',
      organisation,
      method,
      path,
      fields: read?.fields ?? {},
      file,
      now,
    });
    if (method === 'DELETE') this.stored.forget(organisation, path.split('/').at(-1) ?? '');
    return found;
  }

  async #accept(visit: Visit, raw: Buffer, now: number): Promise<Exchange | Refusal | undefined> {
    const { path, text, headers } = visit;
    switch (path) {
      case '/v1/messages':
        return acceptMessages(text, headers, this.cache, now, this.account);
      case '/v1/chat/completions':
        return acceptChat(text, headers, this.cache, now, this.objects);
      case '/v1/responses':
        return acceptResponses(text, headers, this.cache, this.stored, now, this.objects);
      default:
        return acceptStateless(path, raw, headers, now);
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
  if (visit.path === '/v1/models') return gptModelList(now, STATELESS_MODELS);
  const id = /^\/v1\/models\/([^/]+)$/.exec(visit.path)?.[1];
  if (id === undefined) return noSuchPath(visit, false);
  const name = decodeURIComponent(id);
  return gptModel(name, now) === undefined && !STATELESS_MODELS.includes(name)
    ? modelNotFound(id)
    : modelObject(name);
}

function noSuchPath({ request, path }: Visit, isAnthropic: boolean): Refusal {
  return isAnthropic
    ? { status: 404, message: 'Not found' }
    : { status: 404, message: `Invalid URL (${request.method} ${path})`, code: null };
}

function isRefusal(value: object): value is Refusal {
  return 'status' in value && typeof value.status === 'number' && 'message' in value;
}

function noteBody(journal: JournalEntry, raw: Buffer, read: RequestFields | undefined): void {
  if (read === undefined) {
    journal.body = raw.toString('utf8');
    return;
  }
  if (raw.length === 0) return;
  const files = Object.entries(read.files).map(([field, { name, content }]) => [
    field,
    { name, bytes: content.length },
  ]);
  journal.body = { ...read.fields, ...Object.fromEntries(files) };
  if (typeof read.fields.model === 'string') journal.model = read.fields.model;
}

function plainHeaders(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  );
}
