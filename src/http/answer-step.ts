import type { Context } from 'hono';
import { estimateTokens } from '../core/accounting/estimate.ts';
import { inputTokens } from '../core/accounting/usage.ts';
import { record } from '../core/dialects/answer-recorder.ts';
import type { AnswerWriter, ClientDialect } from '../core/dialects/client-dialect.ts';
import type { FluxMetadata } from '../core/metadata.ts';
import { writeJson } from '../core/raw-json.ts';
import { beginLater } from '../log/begun.ts';
import { logLine } from '../log/line.ts';
import { logStep } from '../log/outbox.ts';
import type { StepOutcome } from '../pipeline/delivery.ts';
import type { Budget, Ports } from '../pipeline/ports.ts';
import { runStep } from '../pipeline/step.ts';
import type { StepRequest } from '../pipeline/step-request.ts';
import { callProvider } from '../providers/attempt.ts';
import { summariesIn } from '../sessions/kept-summaries.ts';
import { thoughtsIn } from '../sessions/kept-thoughts.ts';
import { sessionsIn } from '../sessions/session-port.ts';
import { budgetOf } from './budget.ts';
import type { AppEnv } from './context.ts';
import { contentStoreOf, keepFor } from './earlier-answers.ts';
import { toAscii, toClientError } from './errors.ts';
import { admitTokens, backgroundOf } from './rate-limit.ts';
import { type ReadStep, readStep } from './step-request.ts';
import { openBody, pump } from './stream-pump.ts';

/** Answers one step in the client's dialect: whole, or as a stream. */
export async function answerStep(c: Context<AppEnv>, dialect: ClientDialect): Promise<Response> {
  const read = await readStep(c, dialect, true);
  try {
    return await answerRead(c, dialect, read);
  } catch (error) {
    void read.history?.end(null);
    throw error;
  }
}

async function answerRead(
  c: Context<AppEnv>,
  dialect: ClientDialect,
  { request, settings: allowed, answerWriter, head, history }: ReadStep,
): Promise<Response> {
  const settings = c.get('settings');
  const { step } = c.get('access');
  const charge = c.get('charge');
  const lease = c.get('lease');
  const writer = answerWriter({
    requestId: request.requestId,
    created: Math.floor(request.startedAt / 1000),
    ...head,
  });
  // Counted for the top model, the one that counts most: which will answer is not known yet.
  admitTokens(charge, () => estimateTokens(request.conversation, step.baseline.model).total);
  const budget = budgetOf(c, request);
  const outcome = runStep(request, allowed, portsOf(c, budget));
  lease.hold(outcome);
  // A client that leaves before its answer takes the request with it, but not this (T31).
  c.executionCtx.waitUntil(
    outcome.catch(() => {
      charge.settle(0);
      budget?.settle(request.requestId, 0);
      void history?.end(null);
    }),
  );
  const recording = history && record(dialect.history.recordAnswer());
  const keeping = head.keeps ? dialect.keeping : undefined;
  const keep =
    keeping || history
      ? async (): Promise<void> => {
          await Promise.all([
            keeping && keepFor(c, keeping, request.rawBody, writer),
            history?.end(recording?.said ?? null),
          ]);
        }
      : null;
  c.set('namesItself', true);
  if (!request.stream) {
    const { text, headers } = writeAnswer(await outcome, writer, request);
    recording?.note(text);
    const answer = new Response(text, { headers });
    const kept = keep?.();
    if (kept) {
      lease.hold(kept);
      c.executionCtx.waitUntil(kept);
    }
    return answer;
  }

  // Errors before the first byte are plain HTTP errors; a provider that stays silent gets signs of life meanwhile.
  const first = await firstOf(outcome, settings.timeouts.keepAlive);
  const headers: Record<string, string> = {
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-cache',
    'x-fluxcompute-request-id': request.requestId,
    'x-fluxcompute-session': toAscii(request.session.shown),
  };
  if (first?.kind === 'stream') {
    headers['x-fluxcompute-model'] = toAscii(first.candidate.name);
    headers['x-fluxcompute-tier'] = first.candidate.tier ?? 'pinned';
    headers['x-fluxcompute-reason'] = first.reason;
  }
  const { readable, writable } = openBody();
  const written = pump(outcome, writable, {
    writerFor: (relay) => {
      const stream = relay ? writer.relay() : writer.stream();
      return recording ? recording.over(stream) : stream;
    },
    keepAlive: writer.keepAlive,
    toError: toClientError,
    left: c.req.raw.signal,
    timeouts: settings.timeouts,
  });
  const writing = keep ? written.then(keep) : written;
  lease.hold(writing);
  c.executionCtx.waitUntil(writing);
  return new Response(readable, { headers });
}

/** What the pipeline needs of the outside, for one request. */
export function portsOf(c: Context<AppEnv>, budget: Budget | null): Ports {
  const { SESSIONS } = c.env;
  const { clockRuns, timeouts } = c.get('settings');
  const background = backgroundOf(c);
  const store = contentStoreOf(c);
  return {
    callProvider,
    sessions: SESSIONS
      ? sessionsIn(SESSIONS, background, (what) => logLine('warn', 'session_missed', { what }))
      : null,
    thoughts: store
      ? thoughtsIn(store, {
          days: c.get('access').step.retentionDays,
          background,
          missed: (what) => logLine('warn', 'thoughts_missed', { what }),
          // What was kept takes memory as what is sent does (T63).
          takeRoom: (characters) => c.get('lease').take(characters),
        })
      : null,
    ...(store
      ? { summaries: summariesIn(store, background, () => logLine('warn', 'summary_not_kept')) }
      : {}),
    beginLater: (requestId, begun) => {
      const sending = beginLater(requestId, begun, timeouts.abandoned, c.get('stores'));
      if (sending) background(sending);
    },
    logStep: (record) => {
      c.get('charge').settle(inputTokens(record.tokens) + record.tokens.output);
      budget?.settle(record.request_id, record.cost_usd);
      const logging = logStep(record, c.get('stores'));
      if (logging !== 'gathered') c.executionCtx.waitUntil(logging);
    },
    budget,
    left: c.req.raw.signal,
    clock: { now: () => Date.now(), cpu: () => (clockRuns ? performance.now() : null) },
  };
}

function writeAnswer(outcome: StepOutcome, writer: AnswerWriter, request: StepRequest) {
  if (outcome.kind === 'stream') throw new RangeError('a step that does not stream has no stream');
  const { answer, metadata, raw } = outcome;
  const headers = {
    'content-type': 'application/json',
    'x-fluxcompute-request-id': request.requestId,
    'x-fluxcompute-model': toAscii(metadata.model_selected),
    'x-fluxcompute-tier': metadata.tier ?? 'pinned',
    'x-fluxcompute-reason': metadata.reason,
    'x-fluxcompute-session': toAscii(metadata.session_id),
  };
  const { relayWhole = addMetadata } = writer;
  const text = raw === null ? writeJson(writer.whole(answer, metadata)) : relayWhole(raw, metadata);
  return { text, headers };
}

/** The same wire on both sides: the answer stays byte for byte, with one member more. */
function addMetadata(raw: string, metadata: FluxMetadata): string {
  return `${raw.slice(0, raw.lastIndexOf('}'))},"fluxcompute":${JSON.stringify(metadata)}}`;
}

/** What comes of the step, or undefined where that takes longer than `ms`. */
async function firstOf<T>(outcome: Promise<T>, ms: number): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), ms);
  });
  try {
    return await Promise.race([outcome, limit]);
  } finally {
    clearTimeout(timer);
  }
}
