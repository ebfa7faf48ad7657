import type { Context } from 'hono';
import { estimateTokens } from '../../core/accounting/estimate.ts';
import { inputTokens } from '../../core/accounting/usage.ts';
import { createStreamRelay, createStreamWriter, KEEP_ALIVE } from '../../core/dialects/openai-chat/stream.ts';
import { type AnswerHead, writeCompletion } from '../../core/dialects/openai-chat/write.ts';
import type { FluxMetadata } from '../../core/metadata.ts';
import { logStep } from '../../log/outbox.ts';
import type { Ports } from '../../pipeline/ports.ts';
import { runStep, type StepOutcome, type StepRequest } from '../../pipeline/step.ts';
import { callProvider } from '../../providers/attempt.ts';
import type { AppEnv } from '../context.ts';
import { toAscii, toClientError, writeOpenAIError } from '../errors.ts';
import { admitTokens } from '../rate-limit.ts';
import { readStep } from '../step-request.ts';
import { openBody, pump } from '../stream-pump.ts';

/** POST /v1/chat/completions */
export async function chatCompletions(c: Context<AppEnv>): Promise<Response> {
  const settings = c.get('settings');
  const { step } = c.get('access');
  const charge = c.get('charge');
  const lease = c.get('lease');
  const { request, settings: allowed, includeUsage } = await readStep(c);
  const head: AnswerHead = { requestId: request.requestId, created: Math.floor(request.startedAt / 1000) };
  // Counted for the top model, the one that counts most: which will answer is not known yet.
  admitTokens(charge, () => estimateTokens(request.conversation, step.baseline.model).total);
  const outcome = runStep(request, allowed, portsOf(c));
  lease.hold(outcome);
  // A client that leaves before its answer takes the request with it, but not this (T31).
  c.executionCtx.waitUntil(outcome.catch(() => charge.settle(0)));
  if (!request.stream) return writeAnswer(await outcome, head, request);

  // Errors before the first byte are plain HTTP errors; a provider that stays silent gets comments meanwhile.
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
  const writing = pump(outcome, writable, {
    writerFor: (relay) => (relay ? createStreamRelay(includeUsage) : createStreamWriter(head, includeUsage)),
    keepAlive: KEEP_ALIVE,
    toError: (error) => writeOpenAIError(toClientError(error)).error,
    left: c.req.raw.signal,
    timeouts: settings.timeouts,
  });
  lease.hold(writing);
  c.executionCtx.waitUntil(writing);
  return new Response(readable, { headers });
}

function portsOf(c: Context<AppEnv>): Ports {
  return {
    callProvider,
    logStep: (record) => {
      c.get('charge').settle(inputTokens(record.tokens) + record.tokens.output);
      const logging = logStep(record, c.get('stores'));
      if (logging !== 'gathered') c.executionCtx.waitUntil(logging);
    },
    left: c.req.raw.signal,
    clock: { now: () => Date.now(), cpu: () => (c.get('settings').clockRuns ? performance.now() : null) },
  };
}

function writeAnswer(outcome: StepOutcome, head: AnswerHead, request: StepRequest): Response {
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
  const text =
    raw === null ? JSON.stringify(writeCompletion(answer, head, metadata)) : addMetadata(raw, metadata);
  return new Response(text, { headers });
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
