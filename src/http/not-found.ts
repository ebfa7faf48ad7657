import { FluxError } from '../core/errors.ts';

/** Paths of objects that live at a provider (contract.md; T56). */
const STORED_OBJECTS = new RegExp(
  `^/v1/(${[
    'files|uploads|batches|vector_stores|fine_tuning|assistants|threads|containers|conversations|evals|skills|videos',
    'chat/completions/.+|responses/.+|messages/batches|audio/(voices|voice_consents)|realtime|live|sessions|agents',
    'environments',
  ].join('|')})(/|$)`,
);

/** Why there is nothing at a path of `/v1`, and what there is. @param routes as `POST /v1/embeddings` */
export function notFound(method: string, path: string, routes: readonly string[]): FluxError {
  return new FluxError(`There is no ${method} ${path} here: ${reasonOf(path, routes)}.`, {
    status: 404,
    code: 'unknown_url',
  });
}

function reasonOf(path: string, routes: readonly string[]): string {
  const same = routes.filter((route) => route.endsWith(` ${path}`));
  if (same.length > 0) return `there is ${same.join(' and ')}`;
  if (STORED_OBJECTS.test(path)) {
    return "it names objects stored at a provider, and customers of this gateway may share a provider's key. Send the content itself";
  }
  return path.startsWith('/v1') ? `there is ${routes.join(', ')}` : 'GET /openapi.json says what there is';
}
