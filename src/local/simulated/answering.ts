import type { ServerResponse } from 'node:http';
import { EventStream, wait } from './event-stream.ts';
import type { ErrorWire, Exchange, WireAnswer } from './exchange.ts';
import { improvise } from './improvise.ts';
import type { JournalEntry } from './journal.ts';
import type { Refusal } from './refusal.ts';
import type { Content } from './reply.ts';
import { replyTo } from './reply.ts';
import type { Fault, ScriptEntry } from './script.ts';
import { scriptedContent } from './scripted-content.ts';
import type { TokenUsage } from './usage.ts';
import { tokenUsage } from './usage.ts';
import type { Frame } from './wire.ts';
import { openStream, SIMULATED_HEADER, sendJson } from './wire.ts';

/** Milliseconds before the first byte and between events. */
export interface Pace {
  firstMs: number;
  betweenMs: number;
  chunkBytes?: number | undefined;
}

/** Where an answer goes and what it needs on its way. */
export interface Outlet {
  response: ServerResponse;
  headers: Record<string, string>;
  errors: ErrorWire;
  journal: JournalEntry;
  pace: Pace;
}

/** Answers an accepted request as its script entry says, or as a simulated model would. */
export async function answer(
  exchange: Exchange,
  entry: ScriptEntry | undefined,
  outlet: Outlet,
): Promise<void> {
  const { response, journal } = outlet;
  const pace: Pace =
    entry?.delay === undefined
      ? outlet.pace
      : {
          firstMs: entry.delay.first_ms,
          betweenMs: entry.delay.between_ms,
          chunkBytes: entry.delay.chunk_bytes,
        };
  const fault = entry?.fault;
  if (pace.firstMs > 0) await wait(response, pace.firstMs);
  if (response.destroyed) return;
  if (fault?.kind === 'hang') return;
  if (fault?.kind === 'reset') {
    journal.ended = 'cut';
    response.socket?.resetAndDestroy();
    return;
  }
  if (fault?.kind === 'status') return sendStatus(fault, exchange, outlet);
  if (fault?.kind === 'error_body' || (fault?.kind === 'error_frame' && !exchange.ask.stream)) {
    journal.status = 200;
    sendJson(response, 200, outlet.errors.body(spoken(fault, outlet.errors)), outlet.headers);
    return;
  }

  exchange.begun();
  journal.status = 200;
  if (fault?.kind === 'invalid_json') {
    sendJson(response, 200, '{"id": "simulated", "content": [', outlet.headers);
    return;
  }
  const content = fault?.kind === 'empty' ? { thinking: 0 } : contentOf(entry, exchange);
  const reply = replyTo(exchange.ask, content);
  const counted: TokenUsage = {
    ...exchange.input,
    output: reply.outputTokens,
    thinking: reply.thinkingTokens,
  };
  const scripted = entry?.answer?.usage;
  const usage = scripted === null ? null : scripted === undefined ? counted : tokenUsage(definedOf(scripted));
  journal.usage = usage ?? counted;
  const wireAnswer = exchange.answer(reply, usage);
  if (exchange.ask.stream) await sendStream(wireAnswer, entry, pace, outlet);
  else if (fault?.kind === 'failed') {
    const refusal = spoken(fault, outlet.errors);
    const body = wireAnswer.failed?.(refusal, 0).body ?? outlet.errors.body(refusal);
    sendJson(response, 200, body, outlet.headers);
  } else if (fault?.kind === 'cut') cutBody(wireAnswer.body, outlet);
  else if (fault?.kind !== 'stall') {
    const type = wireAnswer.contentType;
    const headers = type === undefined ? outlet.headers : { ...outlet.headers, 'content-type': type };
    sendJson(response, 200, wireAnswer.body, headers);
  }
}

async function sendStream(
  wireAnswer: WireAnswer,
  entry: ScriptEntry | undefined,
  pace: Pace,
  outlet: Outlet,
): Promise<void> {
  const { response } = outlet;
  const fault = entry?.fault;
  openStream(response, outlet.headers);
  const cutAfterBytes = fault?.kind === 'cut' ? fault.after_bytes : undefined;
  const stream = new EventStream(response, outlet.journal, { ...pace, cutAfterBytes });
  const most =
    fault !== undefined && 'after_events' in fault && cutAfterBytes === undefined
      ? fault.after_events
      : Number.POSITIVE_INFINITY;
  let sent = 0;
  for (const frame of injected(wireAnswer.frames, entry)) {
    if (sent >= most) break;
    if (!(await stream.send(frame))) break;
    sent += 1;
  }
  await stream.flush();
  if (response.destroyed) return;
  if (fault?.kind === 'stall') {
    response.flushHeaders();
    return;
  }
  if (fault?.kind === 'cut') {
    outlet.journal.ended = 'cut';
    // What was written has to leave first: an event promised is an event sent.
    response.write('', () => response.destroy());
    return;
  }
  if (fault?.kind === 'error_frame' || fault?.kind === 'failed') {
    const refusal = spoken(fault, outlet.errors);
    const failed = fault.kind === 'failed' ? wireAnswer.failed?.(refusal, sent).frame : undefined;
    await stream.send(failed ?? outlet.errors.frame(refusal, sent));
    await stream.flush();
  }
  response.end();
}

function cutBody(body: unknown, { response, headers, journal }: Outlet): void {
  const text = JSON.stringify(body);
  journal.ended = 'cut';
  response.writeHead(200, {
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(text)),
    ...SIMULATED_HEADER,
    ...headers,
  });
  response.write(text.slice(0, text.length / 2), () => response.destroy());
}

function sendStatus(fault: Extract<Fault, { kind: 'status' }>, exchange: Exchange, outlet: Outlet): void {
  const refusal = spoken(fault, outlet.errors);
  outlet.journal.status = fault.status;
  outlet.journal.error = refusal.message;
  const body = fault.body ?? outlet.errors.body(refusal);
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  const quoted = text.replaceAll('{{key}}', exchange.key);
  sendJson(outlet.response, fault.status, quoted, { ...outlet.headers, ...fault.headers });
}

function spoken(
  fault: { status: number; message?: string | undefined; code?: string | undefined },
  errors: ErrorWire,
): Refusal {
  const usual = errors.usual(fault.status);
  return { ...usual, message: fault.message ?? usual.message, code: fault.code ?? usual.code ?? null };
}

function contentOf(entry: ScriptEntry | undefined, exchange: Exchange): Content {
  if (entry?.answer !== undefined) return scriptedContent(entry.answer);
  return exchange.improvise === undefined ? improvise(exchange.ask) : exchange.improvise();
}

/** The frames, with those a script puts between them. */
function* injected(frames: Iterable<Frame>, entry: ScriptEntry | undefined): Generator<Frame> {
  const waiting = [...(entry?.answer?.inject ?? [])].sort((a, b) => a.after_events - b.after_events);
  let sent = 0;
  for (const frame of frames) {
    while (waiting[0] !== undefined && waiting[0].after_events <= sent) {
      const { event, data } = waiting.shift() ?? waiting[0];
      yield event === undefined ? { data } : { event, data };
    }
    yield frame;
    sent += 1;
  }
}

function definedOf(usage: { [name in keyof TokenUsage]?: number | undefined }): Partial<TokenUsage> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
}
