import * as z from 'zod';
import type { StoreHealth } from '../../stores/health.ts';
import type { RouteGroup } from './description.ts';

/** What asks for no key. */
export function publicRoutes(): RouteGroup {
  const store = z.strictObject({
    state: z.enum(['up', 'slow', 'down']),
    latency_ms: z.int().nonnegative(),
  }) satisfies z.ZodType<StoreHealth>;
  const page = { status: 200, headers: ['content-security-policy'] };
  return {
    name: 'gateway',
    about: 'The gateway itself. No key is asked for.',
    given: {
      StoreHealth: store,
      Health: z.strictObject({
        status: z.enum(['ok', 'degraded']),
        stores: z.strictObject({ postgres: store, redis: store }),
        warnings: z
          .array(z.string())
          .meta({ description: 'Models of the tiers that their provider retires.' }),
      }),
      ApiDescription: z.looseObject({
        openapi: z.string(),
        info: z.looseObject({}),
        paths: z.looseObject({}),
      }),
    },
    routes: [
      {
        route: 'GET /health',
        operationId: 'health',
        summary: "Each store's state",
        about: 'Always 200 while the Worker answers: a store that is down delays the log, never an answer.',
        scope: null,
        answer: {
          status: 200,
          about: 'How each store is.',
          content: {
            shape: 'Health',
            examples: {
              up: {
                value: {
                  status: 'ok',
                  stores: { postgres: { state: 'up', latency_ms: 3 }, redis: { state: 'up', latency_ms: 5 } },
                  warnings: [],
                },
              },
            },
          },
        },
        errors: ['not_configured'],
      },
      {
        route: 'GET /api/hello',
        operationId: 'hello',
        summary: 'Whether anybody is here',
        about: 'Claude Code asks with HEAD.',
        scope: null,
        answer: { status: 200, about: 'Nothing but the status.', content: [] },
        errors: ['not_configured'],
      },
      {
        route: 'GET /openapi.json',
        operationId: 'describeApi',
        summary: 'This description',
        scope: null,
        answer: { status: 200, about: 'OpenAPI 3.1.', content: { shape: 'ApiDescription' } },
        errors: ['not_configured'],
      },
      {
        route: 'GET /docs',
        operationId: 'docs',
        summary: 'This description as a page, to try things out',
        scope: null,
        answer: { ...page, about: 'The page.', content: { type: 'text/html', text: 'HTML' } },
        errors: ['not_configured'],
      },
      {
        route: 'GET /docs/{file}',
        operationId: 'docsFile',
        summary: 'What that page is made of',
        scope: null,
        parameters: [
          {
            name: 'file',
            in: 'path',
            required: true,
            description: 'A file that the page names.',
            schema: { type: 'string' },
            example: 'init.js',
          },
        ],
        answer: {
          ...page,
          about: 'The file.',
          content: [
            { type: 'text/css', text: 'CSS' },
            { type: 'text/javascript', text: 'JavaScript' },
            { type: 'text/plain', text: 'Licences' },
          ],
        },
        errors: ['unknown_page', 'not_configured'],
      },
    ],
  };
}
