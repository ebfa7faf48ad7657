import * as z from 'zod';
import type { RouteGroup } from './description.ts';
import { KEY_ERRORS } from './errors.ts';

/** /v1/models */
export function modelRoutes(): RouteGroup {
  const model = z.strictObject({
    id: z.string(),
    object: z.literal('model'),
    created: z
      .int()
      .meta({ description: 'Unix seconds: models have no date of ours, this is the same for all.' }),
    owned_by: z.string().meta({ description: 'The provider, or `fluxcompute` for what routes.' }),
  });
  const anthropicModel = z.strictObject({
    type: z.literal('model'),
    id: z.string(),
    display_name: z.string(),
    created_at: z.iso.datetime(),
  });
  const anthropicVersion = {
    name: 'anthropic-version',
    in: 'header' as const,
    description: "Any value: the answer has Anthropic's shape.",
    schema: { type: 'string' },
  };
  const created = 1793404800;
  const created_at = '2026-10-31T00:00:00.000Z';
  const haiku = { id: 'claude-haiku-5-5', object: 'model', created, owned_by: 'anthropic' };
  const anthropicHaiku = {
    type: 'model',
    id: 'claude-haiku-5-5',
    display_name: 'claude-haiku-5-5',
    created_at,
  };
  return {
    name: 'models',
    about: 'What `model` of a step may be.',
    given: {
      Model: model,
      ModelList: z.strictObject({ object: z.literal('list'), data: z.array(model) }),
      AnthropicModel: anthropicModel,
      AnthropicModelList: z.strictObject({
        data: z.array(anthropicModel),
        has_more: z.boolean(),
        first_id: z.string().nullable(),
        last_id: z.string().nullable(),
      }),
    },
    routes: [
      {
        route: 'GET /v1/models',
        operationId: 'listModels',
        summary: 'What this key may use',
        about:
          '`auto`, the floors, the models of the tiers and of `allowed_models`, and the names of `model_map`.',
        scope: 'infer',
        parameters: [anthropicVersion],
        answer: {
          status: 200,
          about: "The models, in OpenAI's shape or Anthropic's.",
          content: {
            shape: ['ModelList', 'AnthropicModelList'],
            examples: {
              openai: {
                value: {
                  object: 'list',
                  data: [
                    { id: 'auto', object: 'model', created, owned_by: 'fluxcompute' },
                    { id: 'auto:easy', object: 'model', created, owned_by: 'fluxcompute' },
                    { id: 'auto:medium', object: 'model', created, owned_by: 'fluxcompute' },
                    { id: 'auto:hard', object: 'model', created, owned_by: 'fluxcompute' },
                    haiku,
                    { id: 'claude-sonnet-5-5', object: 'model', created, owned_by: 'anthropic' },
                    { id: 'claude-opus-5-5', object: 'model', created, owned_by: 'anthropic' },
                  ],
                },
              },
              anthropic: {
                summary: 'where anthropic-version was sent (shortened)',
                value: {
                  data: [
                    {
                      type: 'model',
                      id: 'auto',
                      display_name: 'FluxCompute: the cheapest model that can do the step',
                      created_at,
                    },
                    anthropicHaiku,
                  ],
                  has_more: false,
                  first_id: 'auto',
                  last_id: 'claude-haiku-5-5',
                },
              },
            },
          },
        },
        errorsOf: 'either',
        errors: KEY_ERRORS,
      },
      {
        route: 'GET /v1/models/{id}',
        operationId: 'getModel',
        summary: 'One of them',
        scope: 'infer',
        parameters: [
          {
            name: 'id',
            in: 'path',
            required: true,
            description: 'With or without its provider: `anthropic/claude-haiku-5-5` too.',
            schema: { type: 'string' },
            example: 'claude-haiku-5-5',
          },
          anthropicVersion,
        ],
        answer: {
          status: 200,
          about: 'The model.',
          content: {
            shape: ['Model', 'AnthropicModel'],
            examples: {
              openai: { value: haiku },
              anthropic: { summary: 'where anthropic-version was sent', value: anthropicHaiku },
            },
          },
        },
        errorsOf: 'either',
        errors: [...KEY_ERRORS, 'model_not_found'],
      },
    ],
  };
}
