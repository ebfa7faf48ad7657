import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { FluxError } from '../core/errors.ts';
import { readSettings } from '../env.ts';
import type { Scope } from '../env-keys.ts';
import { logLine } from '../log/line.ts';
import { SettingsError } from '../settings-error.ts';
import { authenticate, requireScope } from './auth.ts';
import type { AppEnv } from './context.ts';
import { errorHeaders, toClientError, writeOpenAIError } from './errors.ts';
import { chatCompletions } from './routes/chat.ts';
import { health } from './routes/health.ts';
import { metricsSummary } from './routes/metrics.ts';
import { getModel, listModels } from './routes/models.ts';
import { openStores } from './stores.ts';

/** Paths of objects that live at a provider (contract.md; T56). */
const STORED_OBJECTS =
  /^\/v1\/(files|uploads|batches|vector_stores|fine_tuning|assistants|threads|containers|conversations|evals|skills|responses\/.+|messages\/batches.*)(\/|$)/;

/** The gateway's HTTP side. */
export function createApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();

  app.use(async (c, next) => {
    c.set('startedAt', Date.now());
    c.set('requestId', crypto.randomUUID());
    const settings = readSettings(c.env);
    c.set('settings', settings);
    c.set('stores', openStores(c.env, settings));
    await next();
    if (!c.res.headers.has('x-fluxcompute-request-id')) {
      c.res.headers.set('x-fluxcompute-request-id', c.get('requestId'));
    }
  });

  app.get('/health', health);
  app.post('/v1/chat/completions', withScope('infer'), chatCompletions);
  app.get('/v1/models', withScope('infer'), listModels);
  // A model's name may hold a slash.
  app.get('/v1/models/:id{.+}', withScope('infer'), getModel);
  app.get('/api/metrics/summary', withScope('read'), metricsSummary);

  app.notFound((c) => {
    const why = STORED_OBJECTS.test(c.req.path)
      ? "it names objects stored at a provider, and customers of this gateway may share a provider's key"
      : 'see the README for what there is';
    return sendError(
      c,
      new FluxError(`There is no ${c.req.method} ${c.req.path} here: ${why}.`, {
        status: 404,
        code: 'unknown_url',
      }),
    );
  });
  app.onError((error, c) => {
    if (error instanceof SettingsError) {
      logLine('error', 'settings');
      return sendError(
        c,
        new FluxError(`The gateway is not configured. ${error.message}.`, {
          status: 503,
          code: 'not_configured',
        }),
      );
    }
    const seen = toClientError(error);
    if (seen.code === 'internal_error') logLine('error', 'internal_error');
    return sendError(c, seen);
  });
  return app;
}

function withScope(scope: Scope): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const key = authenticate(c.req.raw.headers, c.get('settings').keys);
    requireScope(key, scope);
    c.set('key', key);
    await next();
  };
}

function sendError(c: Context<AppEnv>, error: FluxError): Response {
  return Response.json(writeOpenAIError(error), {
    status: error.status,
    headers: { ...errorHeaders(error), 'x-fluxcompute-request-id': c.get('requestId') ?? '' },
  });
}
