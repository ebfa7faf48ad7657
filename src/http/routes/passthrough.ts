import type { Context } from 'hono';
import { inputTokens } from '../../core/accounting/usage.ts';
import type { StatelessEndpoint } from '../../core/dialects/openai-stateless/endpoints.ts';
import { logStep } from '../../log/outbox.ts';
import { type PassthroughPorts, runPassthrough } from '../../pipeline/passthrough.ts';
import { callPassthrough } from '../../providers/passthrough.ts';
import type { AppEnv } from '../context.ts';
import { toAscii, toClientError } from '../errors.ts';
import { pumpPassage } from '../passage-pump.ts';
import { readPassthrough } from '../passthrough-request.ts';
import { openBody } from '../stream-pump.ts';

/** POST /v1/embeddings and the like: sent on as it came, and its answer too. */
export function passthrough(endpoint: StatelessEndpoint) {
  return async (c: Context<AppEnv>): Promise<Response> => {
    const charge = c.get('charge');
    const lease = c.get('lease');
    const request = await readPassthrough(c, endpoint);
    const { timeouts } = c.get('settings');
    const outcome = runPassthrough(request, timeouts, portsOf(c));
    lease.hold(outcome);
    // A client that leaves before its answer takes the request with it, but not this (T31).
    c.executionCtx.waitUntil(outcome.catch(() => charge.settle(0)));
    const passage = await outcome;
    const { readable, writable } = openBody();
    c.executionCtx.waitUntil(
      pumpPassage(passage, writable, { toError: toClientError, left: c.req.raw.signal, timeouts }),
    );
    return new Response(readable, {
      headers: {
        'content-type': toAscii(passage.contentType ?? 'application/octet-stream'),
        ...(passage.kind === 'events' ? { 'cache-control': 'no-cache' } : {}),
        'x-fluxcompute-request-id': request.requestId,
        'x-fluxcompute-model': toAscii(request.target.model ?? 'default'),
        'x-fluxcompute-tier': 'pinned',
        'x-fluxcompute-reason': 'pinned',
        'x-fluxcompute-session': toAscii(request.session.shown),
      },
    });
  };
}

function portsOf(c: Context<AppEnv>): PassthroughPorts {
  return {
    callPassthrough,
    logStep: (record) => {
      c.get('charge').settle(inputTokens(record.tokens) + record.tokens.output);
      const logging = logStep(record, c.get('stores'));
      if (logging !== 'gathered') c.executionCtx.waitUntil(logging);
    },
    left: c.req.raw.signal,
    clock: { now: () => Date.now(), cpu: () => null },
  };
}
