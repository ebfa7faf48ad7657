import { TIERS } from '../../core/routing/tier.ts';
import type { Parameter } from './description.ts';

/** `?customer=`, which the admin key alone needs. */
export const CUSTOMER: Parameter = {
  name: 'customer',
  in: 'query',
  description: 'Whose data, for FLUX_ADMIN_KEY, which acts on all. Any other key leaves it out.',
  schema: { type: 'string', pattern: '^[A-Za-z0-9_.-]{1,64}$' },
};

/** `?limit=` and `?cursor=` of a list. */
export const PAGE: readonly Parameter[] = [
  {
    name: 'limit',
    in: 'query',
    description: 'Items a page.',
    schema: { type: 'integer', minimum: 1, maximum: 200, default: 50 },
  },
  {
    name: 'cursor',
    in: 'query',
    description: '`next_cursor` of the page before.',
    schema: { type: 'string' },
  },
];

/** `?period=` and `?tag.NAME=` of metrics. */
export function stepFilter(usualPeriod: string): readonly Parameter[] {
  return [
    {
      name: 'period',
      in: 'query',
      description: 'Hours or days up to `366d`, ending now, in UTC.',
      schema: { type: 'string', pattern: '^[1-9]\\d{0,2}[hd]$', default: usualPeriod },
    },
    {
      name: 'tags',
      in: 'query',
      description:
        'Any of `tag.NAME=value`, at most 8; all must match. Written as an object here: `{"tag.team": "search"}`.',
      style: 'form',
      explode: true,
      schema: {
        type: 'object',
        propertyNames: { pattern: '^tag\\.[a-z0-9_.-]{1,32}$' },
        additionalProperties: { type: 'string', pattern: '^[A-Za-z0-9_.:@-]{1,64}$' },
        maxProperties: 8,
      },
      // What a page that fills examples in sends: no filter.
      example: {},
    },
  ];
}

/** Headers of a step. `Authorization` and `x-api-key` are its security. */
export const STEP_HEADERS: readonly Parameter[] = [
  {
    name: 'X-FluxCompute-Session',
    in: 'header',
    description:
      'Names the session; rows hold an HMAC of it. Without one, `x-claude-code-session-id` counts.',
    schema: { type: 'string', pattern: '^[\\x20-\\x7e]{1,128}$' },
    example: 'support-4711',
  },
  {
    name: 'X-FluxCompute-Tags',
    in: 'header',
    description:
      '`name=value`, at most 8, separated by commas: a name of `[a-z0-9_.-]{1,32}`, a value of `[A-Za-z0-9_.:@-]{1,64}`. ' +
      'Metrics filter by them.',
    schema: { type: 'string' },
    example: 'team=search,env=prod',
  },
  {
    name: 'X-FluxCompute-Max-Tier',
    in: 'header',
    description: 'Goes no higher, whatever the step needs.',
    schema: { type: 'string', enum: TIERS },
  },
  {
    name: 'X-FluxCompute-No-Store',
    in: 'header',
    description: "No content in any store; the row goes without the session's HMAC.",
    schema: { type: 'string', enum: ['0', '1'] },
  },
  {
    name: 'X-FluxCompute-History',
    in: 'header',
    description:
      '`append`: only what is new is sent; the history of the session that is named is put before it, and it and the answer are added. `start`: what was kept goes, and what is sent is its beginning. On steps, their plans and the count of their tokens; elsewhere a 400.',
    schema: { type: 'string', enum: ['append', 'start'] },
  },
];

/** Headers of answers, by their names. */
export const ANSWER_HEADERS: Readonly<
  Record<string, { description: string; schema: Record<string, unknown>; example?: unknown }>
> = {
  'x-fluxcompute-request-id': {
    description: 'Names the request in rows and logs.',
    schema: { type: 'string', format: 'uuid' },
    example: '881f0884-d174-495e-884b-be8993df7247',
  },
  'x-fluxcompute-model': {
    description: 'The model that answered. Not on a stream whose provider was silent at first.',
    schema: { type: 'string' },
    example: 'claude-haiku-5-5',
  },
  'x-fluxcompute-tier': {
    description: 'Its tier, or `pinned` outside the tiers.',
    schema: { type: 'string', enum: [...TIERS, 'pinned'] },
    example: 'easy',
  },
  'x-fluxcompute-reason': {
    description: 'Why it was chosen: `reason` of the `fluxcompute` object.',
    schema: { type: 'string' },
    example: 'floor',
  },
  'x-fluxcompute-session': {
    description: 'The session you named, else `fc_` and 12 hex digits.',
    schema: { type: 'string' },
    example: 'support-4711',
  },
  etag: {
    description: 'The version in quotes, for `If-Match`.',
    schema: { type: 'string', pattern: '^"\\d+"$' },
    example: '"2"',
  },
  'retry-after': {
    description: 'Seconds to wait, where waiting helps.',
    schema: { type: 'integer', minimum: 0 },
    example: 97,
  },
  'x-request-id': {
    description: "The provider's own id of the request, for its support; on its errors only.",
    schema: { type: 'string' },
  },
  'request-id': {
    description: "Anthropic's own id of the request, for its support; on its errors only.",
    schema: { type: 'string' },
  },
  'content-security-policy': {
    description: 'Nothing is loaded from any other host.',
    schema: { type: 'string' },
  },
};
