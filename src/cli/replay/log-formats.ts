import { isObject, type JsonObject, objectsAt, textAt } from '../../core/dialects/provider-json.ts';
import { providerOf, readLoggedAnswer, readLoggedUsage } from './log-answer.ts';
import {
  type LogEntry,
  type LoggedBill,
  type LoggedRequest,
  type LoggedTrace,
  UnreadableRecord,
} from './log-entry.ts';
import { isLangfuse, readLangfuse } from './log-langfuse.ts';
import { isLiteLlm, readLiteLlm } from './log-litellm.ts';
import { readLoggedMessages } from './log-messages.ts';
import { readLoggedRequest } from './log-request.ts';
import { timeOf, unpacked } from './log-values.ts';

/**
 * Reads a record of a log, whose format it tells by itself: LiteLLM's, Langfuse's, a request with its answer, or a
 * whole trace.
 * @throws UnreadableRecord
 */
export function readLogEntry(text: string): LogEntry {
  const record = parse(text);
  if (isLiteLlm(record)) return readLiteLlm(record);
  if (isLangfuse(record)) return readLangfuse(record);
  const request = unpacked(record.request ?? record.body ?? record.input);
  const answer = unpacked(record.response ?? record.output);
  if (answer !== undefined && answer !== null) {
    if (isObject(request)) return readRequest(record, request, answer);
    if (Array.isArray(record.messages)) return readRequest(record, record, answer);
  }
  if (Array.isArray(record.messages)) return readTrace(record);
  throw new UnreadableRecord(
    'it is neither a trace ("messages"), nor a request with its answer, nor an export we know',
  );
}

function parse(text: string): JsonObject {
  let record: unknown;
  try {
    record = JSON.parse(text);
  } catch {
    throw new UnreadableRecord('it is not JSON');
  }
  if (!isObject(record)) throw new UnreadableRecord('it is no JSON object');
  return record;
}

function readRequest(record: JsonObject, wrapped: JsonObject, given: unknown): LogEntry {
  // Some logs keep what HTTP said around the body.
  const body = inside(wrapped, 'messages', 'input');
  const answer = isObject(given) ? inside(given, 'choices', 'content', 'output') : given;
  // A list of embeddings, of models …
  if (isObject(answer) && answer.object === 'list') return { kind: 'other' };
  const usage = (isObject(answer) ? answer.usage : undefined) ?? record.usage;
  const model = (isObject(answer) ? textAt(answer, 'model') : undefined) ?? textAt(body, 'model');
  return {
    kind: 'request',
    id: idOf(record),
    ...readLoggedRequest(body),
    answer: readLoggedAnswer(answer),
    at: timeOf(record.at ?? record.timestamp ?? record.created_at ?? record.time ?? record.startTime),
    bill: billOf(model, usage, record.cost_usd),
  } satisfies LoggedRequest;
}

function inside(holder: JsonObject, ...members: string[]): JsonObject {
  if (members.some((name) => name in holder)) return holder;
  const body = unpacked(holder.body);
  return isObject(body) ? body : holder;
}

function readTrace(record: JsonObject): LogEntry {
  const prompt = readLoggedRequest(record);
  const model = textAt(record, 'model');
  const bills = [record.usage].flat().flatMap((usage) => billOf(model, usage, undefined) ?? []);
  const times: readonly unknown[] = Array.isArray(record.at) ? record.at : [];
  const read = readLoggedMessages(objectsAt(record, 'messages'));
  // What stands before them has a field of its own, and no time: `system`.
  const apart = prompt.conversation.messages.length - read.length;
  const at = [...Array.from({ length: apart }, () => null), ...read.map(({ entry }) => timeOf(times[entry]))];
  return { kind: 'trace', id: idOf(record), ...prompt, at, bills } satisfies LoggedTrace;
}

function idOf({ id }: JsonObject): string | null {
  return typeof id === 'string' || typeof id === 'number' ? String(id) : null;
}

function billOf(model: string | undefined, usage: unknown, reported: unknown): LoggedBill | null {
  if (model === undefined) return null;
  const provider = providerOf(model, usage);
  return {
    ...{ model, provider, usage: readLoggedUsage(usage, provider) },
    reported: typeof reported === 'number' ? reported : null,
  };
}
