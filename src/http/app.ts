import { type Context, Hono, type MiddlewareHandler } from 'hono';
import { STATELESS_ENDPOINTS } from '../core/dialects/openai-stateless/endpoints.ts';
import { FluxError } from '../core/errors.ts';
import { readSettings } from '../env.ts';
import type { Scope } from '../env-keys.ts';
import { logLine } from '../log/line.ts';
import { SettingsError } from '../settings-error.ts';
import { openAccess } from './access.ts';
import { authenticate, requireScope } from './auth.ts';
import { openLease } from './bytes-in-flight.ts';
import type { AppEnv } from './context.ts';
import { dialectOf, errorHeaders, toClientError } from './errors.ts';
import { notFound } from './not-found.ts';
import { admitRequest, backgroundOf } from './rate-limit.ts';
import { listEntries } from './routes/audit.ts';
import { countTokens } from './routes/count-tokens.ts';
import { docsFile, docsPage } from './routes/docs.ts';
import { health } from './routes/health.ts';
import { createApiKey, listApiKeys, revokeApiKey } from './routes/keys.ts';
import { getLimits, putLimits } from './routes/limits.ts';
import { metricsSession, metricsSessions, metricsSummary, metricsTimeseries } from './routes/metrics.ts';
import { getModel, listModels } from './routes/models.ts';
import { getDescription } from './routes/openapi.ts';
import { passthrough } from './routes/passthrough.ts';
import { routePlan } from './routes/route.ts';
import { getSettings, listSettingsVersions, patchSettings, putSettings } from './routes/settings.ts';
import { chatCompletions, messages, responses } from './routes/steps.ts';
import { openStores } from './stores.ts';

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
    // To look at an answer's headers takes longer than to make them.
    if (!c.get('namesItself') && !c.res.headers.has('x-fluxcompute-request-id')) {
      c.res.headers.set('x-fluxcompute-request-id', c.get('requestId'));
    }
  });

  app.get('/health', health);
  // Claude Code asks with HEAD whether anybody is here.
  app.get('/api/hello', (c) => c.body(null));
  app.get('/openapi.json', getDescription);
  app.get('/docs', docsPage);
  app.get('/docs/:file', docsFile);
  app.post('/v1/chat/completions', withScope('infer'), withLimits(), chatCompletions);
  for (const endpoint of STATELESS_ENDPOINTS) {
    app.post(`/v1${endpoint.path}`, withScope('infer'), withLimits(), passthrough(endpoint));
  }
  app.post('/v1/messages', withScope('infer'), withLimits(), messages);
  app.post('/v1/messages/count_tokens', withScope('infer'), withLimits(), countTokens);
  app.post('/v1/responses', withScope('infer'), withLimits(), responses);
  app.post('/v1/route', withScope('infer'), withLimits(), routePlan);
  app.get('/v1/models', withScope('infer'), listModels);
  // A model's name may hold a slash.
  app.get('/v1/models/:id{.+}', withScope('infer'), getModel);
  app.get('/api/metrics/summary', withScope('read'), metricsSummary);
  app.get('/api/metrics/timeseries', withScope('read'), metricsTimeseries);
  app.get('/api/metrics/sessions', withScope('read'), metricsSessions);
  // A client may name its session with a slash.
  app.get('/api/metrics/sessions/:id{.+}', withScope('read'), metricsSession);

  app.get('/api/keys', withScope('admin'), listApiKeys);
  app.post('/api/keys', withScope('admin'), createApiKey);
  app.delete('/api/keys/:id', withScope('admin'), revokeApiKey);
  app.get('/api/settings', withScope('admin'), getSettings);
  app.put('/api/settings', withScope('admin'), putSettings);
  app.patch('/api/settings', withScope('admin'), patchSettings);
  app.get('/api/settings/versions', withScope('admin'), listSettingsVersions);
  app.get('/api/limits', withScope('admin'), getLimits);
  app.put('/api/limits', withScope('admin'), putLimits);
  app.get('/api/audit', withScope('admin'), listEntries);

  app.notFound((c) => {
    const routes = app.routes.filter(({ path }) => path.startsWith('/v1/'));
    const there = new Set(routes.map(({ method, path }) => `${method} ${path.replace('/:id{.+}', '/{id}')}`));
    return sendError(c, notFound(c.req.method, c.req.path, [...there]));
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
    const book = openAccess(c.get('settings'), c.get('stores'));
    const found = authenticate(c.req.raw.headers, book, backgroundOf(c));
    const access = found instanceof Promise ? await found : found;
    requireScope(access.key, scope);
    c.set('key', access.key);
    c.set('access', access);
    c.set('book', book);
    await next();
  };
}

/** What a step takes of its customer's limits and of the isolate's memory. Behind {@link withScope}. */
function withLimits(): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    c.set('charge', admitRequest(c));
    const lease = openLease(c.get('settings'));
    c.set('lease', lease);
    try {
      await next();
    } finally {
      lease.close();
    }
  };
}

function sendError(c: Context<AppEnv>, error: FluxError): Response {
  const dialect = dialectOf(c.req.path, c.req.raw.headers);
  return Response.json(dialect.writeError(error), {
    status: error.status,
    headers: { ...errorHeaders(error, dialect.wire), 'x-fluxcompute-request-id': c.get('requestId') ?? '' },
  });
}
