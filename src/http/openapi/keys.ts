import * as z from 'zod';
import type { ApiKey } from '../../customers/api-keys.ts';
import type { AuditEntry } from '../../customers/audit.ts';
import { SCOPES } from '../../env-keys.ts';
import { newKey } from '../routes/keys.ts';
import type { RouteGroup } from './description.ts';
import { CUSTOMER_ERRORS, KEY_ERRORS } from './errors.ts';
import { CUSTOMER, PAGE } from './parameters.ts';

const ERRORS = [...KEY_ERRORS, ...CUSTOMER_ERRORS, 'database_unavailable'] as const;

/** /api/keys and /api/audit */
export function keyRoutes(): RouteGroup {
  const fields = {
    id: z.string().meta({ description: 'First 12 hex digits of its SHA-256.' }),
    customer: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    configured: z.boolean().meta({ description: 'Stands in FLUX_API_KEYS.' }),
    created_at: z.iso.datetime().nullable(),
    created_by: z.string().nullable().meta({ description: 'Id of the key that made it.' }),
    revoked_at: z.iso.datetime().nullable(),
    revoked_by: z.string().nullable(),
  };
  const apiKey = z.strictObject(fields) satisfies z.ZodType<ApiKey>;
  const audited = z.strictObject({
    id: z.string().meta({ description: 'Of the request that did it.' }),
    at: z.iso.datetime(),
    customer: z.string(),
    key_id: z.string(),
    action: z.enum(['key.create', 'key.revoke', 'settings.update', 'limits.update']),
    target: z.string(),
    detail: z
      .record(z.string(), z.unknown())
      .meta({ description: 'Names and numbers; no content, no secret.' }),
  }) satisfies z.ZodType<AuditEntry>;

  const made = {
    id: 'e16a845b4c00',
    customer: 'default',
    name: 'search-agent',
    scopes: ['infer'],
    configured: false,
    created_at: '2026-11-23T18:27:22.824Z',
    created_by: '2674f6952c01',
    revoked_at: null,
    revoked_by: null,
  };
  const configured = {
    id: '2674f6952c01',
    customer: 'default',
    name: 'FLUX_API_KEYS',
    scopes: ['infer', 'read', 'admin'],
    configured: true,
    created_at: null,
    created_by: null,
    revoked_at: null,
    revoked_by: null,
  };
  return {
    name: 'keys',
    about:
      'Who may do what, and who changed it. A change holds at once where it was made, within a minute everywhere.',
    sent: { NewKey: newKey },
    given: {
      ApiKey: apiKey,
      ApiKeyList: z.strictObject({ data: z.array(apiKey) }),
      MadeKey: z.strictObject({ ...fields, key: z.string().meta({ description: 'Shown this once.' }) }),
      AuditEntry: audited,
      Audit: z.strictObject({ data: z.array(audited), next_cursor: z.string().nullable() }),
    },
    routes: [
      {
        route: 'GET /api/keys',
        operationId: 'listKeys',
        summary: "The customer's keys, without the keys",
        about: 'Revoked ones too; those of FLUX_API_KEYS first.',
        scope: 'admin',
        parameters: [CUSTOMER],
        answer: {
          status: 200,
          about: 'All of them.',
          content: { shape: 'ApiKeyList', examples: { keys: { value: { data: [configured, made] } } } },
        },
        errors: ERRORS,
      },
      {
        route: 'POST /api/keys',
        operationId: 'createKey',
        summary: 'Makes a key',
        about:
          'It may have any scopes, also ones that the key which makes it lacks: `admin` is the scope that decides.',
        scope: 'admin',
        parameters: [CUSTOMER],
        body: {
          shape: 'NewKey',
          examples: { agent: { value: { name: 'search-agent', scopes: ['infer'] } } },
        },
        answer: {
          status: 201,
          about: 'The key. Only its hash is kept, so it is never shown again.',
          content: {
            shape: 'MadeKey',
            examples: { made: { value: { ...made, key: 'flx_J_DZiWdMWtfyrreXvCDzGa1PZg6gyfDZ' } } },
          },
        },
        errors: [...ERRORS, 'no_object', 'invalid_scopes', 'settings_too_large'],
      },
      {
        route: 'DELETE /api/keys/{id}',
        operationId: 'revokeKey',
        summary: 'Revokes a key, for good',
        about:
          'Doing it again changes nothing and says when it was. A key of FLUX_API_KEYS stays revoked after a restart.',
        scope: 'admin',
        parameters: [
          {
            name: 'id',
            in: 'path',
            required: true,
            description: 'An id of `GET /api/keys`.',
            schema: { type: 'string' },
            example: made.id,
          },
          CUSTOMER,
        ],
        answer: {
          status: 200,
          about: 'The revoked key.',
          content: {
            shape: 'ApiKey',
            examples: {
              revoked: {
                value: { ...made, revoked_at: '2026-11-23T18:27:23.056Z', revoked_by: '2674f6952c01' },
              },
            },
          },
        },
        errors: [...ERRORS, 'unknown_key_id'],
      },
      {
        route: 'GET /api/audit',
        operationId: 'listAudit',
        summary: 'Who changed what, newest first',
        scope: 'admin',
        parameters: [CUSTOMER, ...PAGE],
        answer: {
          status: 200,
          about: 'A page of it.',
          content: {
            shape: 'Audit',
            examples: {
              page: {
                value: {
                  data: [
                    {
                      id: 'db1e1ad5-f13d-4b59-8c10-b5e444eec61f',
                      at: '2026-11-23T18:27:23.056Z',
                      customer: 'default',
                      key_id: '2674f6952c01',
                      action: 'key.revoke',
                      target: 'e16a845b4c00',
                      detail: { configured: false },
                    },
                    {
                      id: 'c2a2d7a3-dfb2-4191-ab05-38dc57970efc',
                      at: '2026-11-23T18:27:22.980Z',
                      customer: 'default',
                      key_id: '2674f6952c01',
                      action: 'limits.update',
                      target: 'e16a845b4c00',
                      detail: { tokens_per_minute: 20000, requests_per_minute: 1 },
                    },
                  ],
                  next_cursor: 'c2a2d7a3-dfb2-4191-ab05-38dc57970efc',
                },
              },
            },
          },
        },
        errors: [...ERRORS, 'invalid_limit'],
      },
    ],
  };
}
