import type { Context } from 'hono';
import { inputTokens } from '../../core/accounting/usage.ts';
import type { StatelessEndpoint } from '../../core/dialects/openai-stateless/endpoints.ts';
import { logStep } from '../../log/outbox.ts';
import { type PassthroughPorts, runPassthrough } from '../../pipeline/passthrough.ts';
import type { Budget } from '../../pipeline/ports.ts';
import { callPassthrough } from '../../providers/passthrough.ts';
import { budgetOf } from '../budget.ts';
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
    const budget = budgetOf(c, request);
    const outcome = runPassthrough(request, timeouts, portsOf(c, budget));
    lease.hold(outcome);
    // A client that leaves before its answer takes the request with it, but not this (T31).
    c.executionCtx.waitUntil(
      outcome.catch(() => {
        charge.settle(0);
        budget?.settle(request.requestId, 0);
      }),
    );
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

function portsOf(c: Context<AppEnv>, budget: Budget | null): PassthroughPorts {
  return {
    callPassthrough,
    logStep: (record) => {
      c.get('charge').settle(inputTokens(record.tokens) + record.tokens.output);
      budget?.settle(record.request_id, record.cost_usd);
      const logging = logStep(record, c.get('stores'));
      if (logging !== 'gathered') c.executionCtx.waitUntil(logging);
    },
    budget,
    left: c.req.raw.signal,
    clock: { now: () => Date.now(), cpu: () => null },
  };
}
