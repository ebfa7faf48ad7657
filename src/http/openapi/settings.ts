import * as z from 'zod';
import { customerSettings } from '../../customers/settings.ts';
import { OVER_BUDGET } from '../../stores/schema.ts';
import type { LimitStanding } from '../budget.ts';
import { limit } from '../routes/limits.ts';
import type { Parameter, RouteDescription, RouteGroup } from './description.ts';
import { CUSTOMER_ERRORS, KEY_ERRORS } from './errors.ts';
import { CUSTOMER, PAGE } from './parameters.ts';
import { LIMITS, SETTINGS, VERSIONS } from './settings-examples.ts';

const ERRORS = [...KEY_ERRORS, ...CUSTOMER_ERRORS, 'database_unavailable'] as const;

const IF_MATCH: Parameter = {
  name: 'If-Match',
  in: 'header',
  description: 'The version that the edit was made on, in quotes; `version` in the body says the same.',
  schema: { type: 'string' },
};

function shapes() {
  const keySet = z.record(z.string(), z.strictObject({ set: z.literal(true) }));
  /** As they are shown: never a provider's key. */
  const shown = z.strictObject({ ...customerSettings.shape, provider_keys: keySet.optional() });
  const every = shown.required();
  const effective = every.extend({
    // A deployment's tier may be empty; none keeps rows for a time of its own yet.
    tiers: z.strictObject({
      easy: z.array(z.string()),
      medium: z.array(z.string()),
      hard: z.array(z.string()),
    }),
    retention_days: z.int().nullable(),
  });
  const version = z.int().nonnegative().meta({ description: '0: nothing was ever set.' });
  const stated = version.optional().meta({ description: 'The version that the edit was made on.' });
  const set = {
    version,
    created_at: z.iso.datetime().nullable(),
    created_by: z.string().nullable(),
    settings: shown,
  };
  const written = z.strictObject({ ...customerSettings.shape, version: stated });
  const patch = z.strictObject({
    ...Object.fromEntries(
      Object.entries(customerSettings.shape).map(([name, field]) => [name, field.nullable()]),
    ),
    // A patch reaches inside of these.
    tiers: z.record(z.string(), z.unknown()).nullish(),
    model_map: z.record(z.string(), z.string().nullable()).nullish(),
    provider_keys: z.record(z.string(), z.unknown()).nullish(),
    version: stated,
  });
  const standing = z
    .strictObject({ spent_usd: z.number(), reserved_usd: z.number(), ends_at: z.iso.datetime() })
    .nullable()
    .meta({ description: 'Against the budget; null without one, or where nobody can tell just now.' });
  const setLimit = z.strictObject({
    key_id: z.string().nullable().meta({ description: 'The key that it is of.' }),
    tag: z
      .string()
      .nullable()
      .meta({ description: "`team=search`. Neither: of all the customer's keys together." }),
    requests_per_minute: z.int().nullable(),
    tokens_per_minute: z.int().nullable(),
    usd_per_day: z.number().nullable(),
    usd_per_month: z.number().nullable(),
    over_budget: z
      .enum(OVER_BUDGET)
      .nullable()
      .meta({ description: "The customer's own: what happens to steps that a budget has no room for." }),
    updated_at: z.iso.datetime(),
    updated_by: z.string(),
    today: standing,
    this_month: standing,
  }) satisfies z.ZodType<LimitStanding>;
  return { written, patch, shown, effective, set, setLimit };
}

/** /api/settings and /api/limits */
export function settingsRoutes(): RouteGroup {
  const { written, patch, shown, effective, set, setLimit } = shapes();
  const answer: RouteDescription['answer'] = {
    status: 200,
    about: 'What is set, what is in force, and what holds where nothing is set.',
    headers: ['etag'],
    content: { shape: 'CustomerSettings', examples: { version2: { value: SETTINGS } } },
  };
  const limits = { shape: 'LimitList', examples: { two: { value: LIMITS } } };
  const editErrors = [
    ...ERRORS,
    'no_object',
    'unknown_key',
    'version_conflict',
    'settings_too_large',
  ] as const;
  return {
    name: 'settings',
    about:
      'What a customer decides for itself. A change is told in the audit; it holds at once where it was made, within a minute everywhere.',
    sent: { SettingsToPut: written, SettingsPatch: patch, LimitToPut: limit },
    given: {
      SetSettings: shown,
      EffectiveSettings: effective,
      CustomerSettings: z.strictObject({
        customer: z.string(),
        ...set,
        effective: effective,
        defaults: effective,
      }),
      SettingsVersions: z.strictObject({
        data: z.array(z.strictObject(set)),
        next_cursor: z.string().nullable(),
      }),
      Limit: setLimit,
      LimitList: z.strictObject({ data: z.array(setLimit) }),
    },
    routes: [
      {
        route: 'GET /api/settings',
        operationId: 'getSettings',
        summary: 'What is set, in force, and the default',
        scope: 'admin',
        parameters: [
          {
            name: 'version',
            in: 'query',
            description: 'An older one.',
            schema: { type: 'integer', minimum: 0 },
          },
          CUSTOMER,
        ],
        answer,
        errors: [...ERRORS, 'invalid_version', 'unknown_version'],
      },
      {
        route: 'PUT /api/settings',
        operationId: 'putSettings',
        summary: 'These settings and no others',
        scope: 'admin',
        parameters: [IF_MATCH, CUSTOMER],
        body: {
          shape: 'SettingsToPut',
          examples: {
            settings: {
              value: { mode: 'route', tags: ['team'], provider_keys: { anthropic: { set: true } } },
            },
          },
        },
        answer,
        errors: editErrors,
      },
      {
        route: 'PATCH /api/settings',
        operationId: 'patchSettings',
        summary: 'A merge patch (RFC 7396)',
        about: '`null` takes a setting back, objects are merged, everything else replaces.',
        scope: 'admin',
        parameters: [IF_MATCH, CUSTOMER],
        body: {
          shape: 'SettingsPatch',
          examples: {
            rules: {
              value: {
                model_map: { 'gpt-4o': 'auto' },
                rules: [{ when: { tag: 'team=legal' }, floor: 'hard' }],
              },
            },
          },
        },
        answer,
        errors: editErrors,
      },
      {
        route: 'GET /api/settings/versions',
        operationId: 'listSettingsVersions',
        summary: 'Who set something and when, newest first',
        scope: 'admin',
        parameters: [CUSTOMER, ...PAGE],
        answer: {
          status: 200,
          about: 'A page of versions.',
          content: { shape: 'SettingsVersions', examples: { page: { value: VERSIONS } } },
        },
        errors: [...ERRORS, 'invalid_limit'],
      },
      {
        route: 'GET /api/limits',
        operationId: 'getLimits',
        summary: 'Requests and tokens a minute, dollars a day and a month',
        scope: 'admin',
        parameters: [CUSTOMER],
        answer: {
          status: 200,
          about: "All limits, the customer's own first. None: nothing is limited.",
          content: limits,
        },
        errors: ERRORS,
      },
      {
        route: 'PUT /api/limits',
        operationId: 'putLimits',
        summary: 'Sets those of the customer, of one key, or of a tag',
        about:
          '`null` is no limit; what is left out stays as it is. Both limits a minute are set together, and tags have budgets only.',
        scope: 'admin',
        parameters: [CUSTOMER],
        body: {
          shape: 'LimitToPut',
          examples: {
            customer: { value: { requests_per_minute: 600, tokens_per_minute: null } },
            key: { value: { key_id: 'e16a845b4c00', requests_per_minute: 1, tokens_per_minute: 20000 } },
            budget: { value: { usd_per_day: 20, usd_per_month: 400, over_budget: 'easy' } },
            tag: { value: { tag: 'team=search', usd_per_month: 100 } },
          },
        },
        answer: { status: 200, about: 'All limits, this one among them.', content: limits },
        errors: [...ERRORS, 'no_object', 'invalid_per_minute', 'unknown_limited_key', 'settings_too_large'],
      },
    ],
  };
}
