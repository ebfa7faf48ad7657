import * as z from 'zod';
import { TIERS } from '../../core/routing/tier.ts';
import type { RoutePlan } from '../routes/route.ts';
import type { RouteGroup } from './description.ts';
import { HISTORY_ERRORS, KEY_ERRORS } from './errors.ts';
import { STEP_HEADERS } from './parameters.ts';
import { PLAN } from './plans-examples.ts';
import { adaptedShape, contextShape, QUESTION, reasonShape } from './steps.ts';

/** /v1/route */
export function planRoutes(): RouteGroup {
  const tier = z.enum(TIERS);
  const usd = z.number().nullable();
  const tokens = z.int().min(0);
  const candidate = z.strictObject({
    provider: z.string(),
    model: z.string(),
    tier: tier.nullable(),
    eligible: z.boolean().meta({ description: 'It is tried: at once, or where the one before it fails.' }),
    excluded_by: z
      .enum(['floor', 'capped', 'pinned', 'capability', 'portability', 'retired'])
      .nullable()
      .meta({ description: 'Null where it is eligible.' }),
    now_usd: usd.meta({ description: 'This step. Null where it has no price or can not take the step.' }),
    ahead_usd: usd.meta({ description: 'The steps expected after it. Null where it is not eligible.' }),
    total_usd: usd.meta({ description: 'Both: what models are compared by.' }),
    tokens: z
      .strictObject({
        fresh: tokens,
        write_5m: tokens,
        write_1h: tokens,
        write_30m: tokens,
        write_12h: tokens,
        read: tokens,
        output: tokens,
      })
      .nullable()
      .meta({ description: 'Expected of this step, in disjoint classes, as the model counts them.' }),
    estimated: z.boolean().meta({ description: 'No answer has told yet what its cache holds.' }),
    handed: z
      .strictObject({
        ...contextShape,
        chosen: z.boolean().meta({ description: 'It is handed this, if it is tried.' }),
        now_usd: usd,
        ahead_usd: usd,
        total_usd: usd,
      })
      .exactOptional()
      .meta({
        description:
          'The same with only the latest turns and what is pinned (docs/routing.md); absent where there is nothing to leave out, or all of it is warm.',
      }),
  });
  return {
    name: 'plans',
    about: 'Where a step would go, without a step.',
    given: {
      RoutePlan: z.strictObject({
        plan: z.strictObject({
          provider: z.string(),
          model: z.string(),
          tier: tier.nullable(),
          floor: tier.meta({ description: 'The lowest tier that the step is allowed.' }),
          reason: reasonShape(),
          switch: z.boolean().meta({ description: 'Another model than the one that answered last.' }),
        }),
        difficulty: z.strictObject({
          score: z.number().min(0).max(1),
          label: tier,
          unknown: z.boolean().meta({ description: 'Nothing tells: medium, to be safe.' }),
          signals: z.record(z.string(), z.number()),
        }),
        candidates: z.array(candidate),
        baseline: z.strictObject({ model: z.string(), now_usd: usd }),
        adapted: adaptedShape(),
        basis: z.enum(['prior', 'measured', 'certified']),
        profile_version: z.int(),
        price_book: z.string(),
      }) satisfies z.ZodType<RoutePlan>,
    },
    routes: [
      {
        route: 'POST /v1/route',
        operationId: 'planStep',
        summary: 'Which model a chat completion would go to, why, and what each would cost',
        about:
          'The body and headers of `POST /v1/chat/completions`. No model is called, nothing is logged or counted in ' +
          "metrics; it counts towards the key's requests a minute.",
        scope: 'infer',
        parameters: STEP_HEADERS,
        body: {
          shape: 'ChatCompletionRequest',
          examples: {
            question: { value: QUESTION },
            floor: { summary: 'at least the medium tier', value: { ...QUESTION, model: 'auto:medium' } },
          },
        },
        answer: {
          status: 200,
          about: 'The plan.',
          content: { shape: 'RoutePlan', examples: { plan: { value: PLAN } } },
        },
        errors: [
          ...KEY_ERRORS,
          ...HISTORY_ERRORS,
          ...(['no_messages', 'invalid_json', 'model_not_found', 'request_too_large'] as const),
          'rate_limit_exceeded',
        ],
      },
    ],
  };
}
