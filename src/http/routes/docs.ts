import type { Context } from 'hono';
import { FluxError } from '../../core/errors.ts';
import type { AppEnv } from '../context.ts';

/** The files of assets/docs, in no other type than these: workerd's own file service knows none. */
const TYPES: Readonly<Record<string, string>> = {
  'init.js': 'text/javascript; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'swagger-ui-bundle.js.LICENSE.txt': 'text/plain; charset=utf-8',
  'swagger-ui.css': 'text/css; charset=utf-8',
};

/**
 * A key is pasted into this page, so it talks to nobody but this gateway. Swagger UI needs no more than that: its
 * style sheet has pictures inside (`data:`), its scripts set styles without writing any into the page.
 */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** GET /docs: the description as a page, to try things out. */
export function docsPage(c: Context<AppEnv>): Promise<Response> {
  return serve(c, 'index.html', 'text/html; charset=utf-8', 'no-cache');
}

/** GET /docs/{file}: what that page is made of. */
export async function docsFile(c: Context<AppEnv>): Promise<Response> {
  const file = c.req.param('file') ?? '';
  const type = Object.hasOwn(TYPES, file) ? TYPES[file] : undefined;
  return type === undefined ? c.notFound() : serve(c, file, type, 'public, max-age=3600');
}

/** @throws FluxError 503 where a deployment was made without the files: the description itself is still there */
async function serve(c: Context<AppEnv>, file: string, type: string, caching: string): Promise<Response> {
  // The host is nobody's: the binding looks at the path only.
  const found = await c.env.ASSETS?.fetch(`https://assets.local/docs/${file}`);
  if (!found?.ok) {
    throw new FluxError(
      'This gateway was deployed without the files of this page: take `[assets]` and `[build]` over from ' +
        "the project's wrangler.toml and deploy again. /openapi.json is there.",
      { status: 503, code: 'not_configured' },
    );
  }
  return new Response(found.body, {
    headers: {
      'content-type': type,
      'cache-control': caching,
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
      'x-content-type-options': 'nosniff',
    },
  });
}
