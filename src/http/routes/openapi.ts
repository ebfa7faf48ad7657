import type { Context } from 'hono';
import type { AppEnv } from '../context.ts';
import { describeApi } from '../openapi/document.ts';

// Made when first asked for: most isolates never are.
let description: string | undefined;

/** GET /openapi.json: every route there is, as OpenAPI 3.1. */
export function getDescription(c: Context<AppEnv>): Response {
  description ??= JSON.stringify(describeApi());
  return c.body(description, 200, { 'content-type': 'application/json', 'cache-control': 'no-cache' });
}
