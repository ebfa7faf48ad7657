import type { Context } from 'hono';
import type { AppEnv } from '../context.ts';
import { type OfferedModel, offeredModels, unknownModel } from '../models.ts';

/** When this list was last a different one: the wire wants a date, and models have none of ours. */
const CREATED = 1_793_404_800;

/** GET /v1/models, in Anthropic's shape where `anthropic-version` is sent. */
export function listModels(c: Context<AppEnv>): Response {
  const models = offeredModels(c.get('access').step);
  if (c.req.header('anthropic-version') === undefined)
    return c.json({ object: 'list', data: models.map(toOpenAI) });
  return c.json({
    data: models.map(toAnthropic),
    has_more: false,
    first_id: models[0]?.id ?? null,
    last_id: models.at(-1)?.id ?? null,
  });
}

/** GET /v1/models/{id} */
export function getModel(c: Context<AppEnv>): Response {
  const id = c.req.param('id') ?? '';
  const model = offeredModels(c.get('access').step).find(
    (model) => model.id === id || `${model.ownedBy}/${model.id}` === id,
  );
  if (!model) throw unknownModel(id, c.get('access').step);
  return c.json(c.req.header('anthropic-version') === undefined ? toOpenAI(model) : toAnthropic(model));
}

function toOpenAI(model: OfferedModel) {
  return { id: model.id, object: 'model', created: CREATED, owned_by: model.ownedBy };
}

function toAnthropic(model: OfferedModel) {
  return {
    type: 'model',
    id: model.id,
    display_name: model.displayName,
    created_at: new Date(CREATED * 1000).toISOString(),
  };
}
