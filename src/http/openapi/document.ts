import * as z from 'zod';
import type { Scope } from '../../env-keys.ts';
import type { Content, RouteDescription, RouteGroup } from './description.ts';
import {
  anthropicErrorShape,
  ERROR_WRITERS,
  ERRORS,
  type ErrorName,
  errorBody,
  errorShape,
} from './errors.ts';
import { keyRoutes } from './keys.ts';
import { messageRoutes } from './messages.ts';
import { metricsRoutes } from './metrics.ts';
import { modelRoutes } from './models.ts';
import { ANSWER_HEADERS } from './parameters.ts';
import { passthroughRoutes } from './passthrough.ts';
import { planRoutes } from './plans.ts';
import { publicRoutes } from './public.ts';
import { settingsRoutes } from './settings.ts';
import { metadataShape, stepRoutes } from './steps.ts';

type Json = Record<string, unknown>;

const COMPONENTS = '#/components/schemas/';
/** Of package.json: one version for all of it. */
const VERSION = '0.1.0';

const ABOUT = `Swap your OpenAI or Anthropic SDK's \`base_url\` and every step of your agent goes to the cheapest model that can do it.

A key goes into \`Authorization: Bearer flx_…\` or \`x-api-key\`; each operation says which scope it wants, and none
implies another. Errors have the shape of the API that is called (OpenAI's for our own), and say what to do. Fields, units and error codes: docs/api.md.`;

/**
 * The API as an OpenAPI 3.1 document. Shapes are zod's own where the gateway reads by them; the tests hold every
 * answer against the others.
 */
export function describeApi(): Json {
  const fluxcompute = metadataShape();
  const groups = [
    stepRoutes(fluxcompute),
    messageRoutes(fluxcompute),
    passthroughRoutes(),
    planRoutes(),
    modelRoutes(),
    metricsRoutes(),
    keyRoutes(),
    settingsRoutes(),
    publicRoutes(),
  ];
  const paths: Record<string, Json> = {};
  for (const group of groups) {
    for (const route of group.routes) {
      const [method = '', path = ''] = route.route.split(' ');
      paths[path] = { ...paths[path], [method.toLowerCase()]: describeRoute(route, group.name) };
    }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'FluxCompute',
      version: VERSION,
      description: ABOUT,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'The gateway that this was read from' }],
    tags: groups.map(({ name, about }) => ({ name, description: about })),
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', description: 'A key of the gateway: `flx_…`' },
        apiKey: { type: 'apiKey', in: 'header', name: 'x-api-key', description: 'The same key' },
      },
      headers: ANSWER_HEADERS,
      schemas: describeShapes(groups),
    },
  };
}

/** Every named shape, as JSON Schema. What is sent and what is given differ where a field has a default. */
function describeShapes(groups: readonly RouteGroup[]): Record<string, Json> {
  const sent = Object.assign({}, ...groups.map((group) => group.sent ?? {}));
  const given = Object.assign(
    { Error: errorShape(), AnthropicError: anthropicErrorShape() },
    ...groups.map((group) => group.given),
  );
  return { ...toSchemas(sent, 'input'), ...toSchemas(given, 'output') };
}

function toSchemas(shapes: Record<string, z.ZodType>, io: 'input' | 'output'): Record<string, Json> {
  const registry = z.registry<{ id: string }>();
  for (const [id, shape] of Object.entries(shapes)) registry.add(shape, { id });
  const { schemas } = z.toJSONSchema(registry, {
    io,
    uri: (id) => COMPONENTS + id,
    override: ({ zodSchema, jsonSchema }) => {
      // A format says it, and the range of JavaScript's integers says nothing.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
      const description = z.globalRegistry.get(zodSchema)?.description;
      if (description !== undefined) jsonSchema.description = description;
    },
  });
  return Object.fromEntries(
    // OpenAPI has its own dialect and places: each says neither.
    Object.entries(schemas).map(([name, { $schema: _dialect, $id: _place, ...schema }]) => [name, schema]),
  );
}

function describeRoute(route: RouteDescription, tag: string): Json {
  const { operationId, summary, about, scope, parameters, body, answer } = route;
  const contents = 'length' in answer.content ? answer.content : [answer.content];
  return {
    tags: [tag],
    operationId,
    summary,
    ...(about === undefined ? {} : { description: about }),
    security: scope === null ? [] : [{ bearer: [scope] }, { apiKey: [scope] }],
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined ? {} : { requestBody: { required: true, content: describeContent([body]) } }),
    responses: {
      [answer.status]: {
        description: answer.about,
        headers: describeHeaders(['x-fluxcompute-request-id', ...(answer.headers ?? [])]),
        content: describeContent(contents),
      },
      ...describeErrors(route, scope),
      ...(route.otherErrors === undefined
        ? {}
        : { default: describeError(route.otherErrors, [idOf(route)], shapesOf(route)) }),
    },
  };
}

type ErrorShape = keyof typeof ERROR_WRITERS;

function shapesOf({ errorsOf }: RouteDescription): ErrorShape[] {
  if (errorsOf === 'either') return ['Error', 'AnthropicError'];
  return errorsOf === 'anthropic' ? ['AnthropicError'] : ['Error'];
}

/** The header of the provider's own id. */
function idOf({ errorsOf }: RouteDescription): string {
  return errorsOf === 'anthropic' ? 'request-id' : 'x-request-id';
}

function describeErrors(route: RouteDescription, scope: Scope | null): Record<string, Json> {
  const names: readonly ErrorName[] = route.errors;
  const shapes = shapesOf(route);
  const [first = 'Error'] = shapes;
  const statuses = [...new Set(names.map((name) => ERRORS[name][0]))].sort();
  return Object.fromEntries(
    statuses.map((status) => {
      const examples = names
        .filter((name) => ERRORS[name][0] === status)
        .map((name) => [name, { value: errorBody(ERRORS[name], scope, ERROR_WRITERS[first]) }]);
      const waits = status === 429 || status >= 500 ? ['retry-after', idOf(route)] : [];
      const about = examples.map(([name]) => name).join(', ');
      return [status, describeError(about, waits, shapes, Object.fromEntries(examples))];
    }),
  );
}

function describeError(
  description: string,
  headers: readonly string[],
  shapes: readonly ErrorShape[],
  examples?: Json,
): Json {
  return {
    description,
    headers: describeHeaders(['x-fluxcompute-request-id', ...headers]),
    content: {
      'application/json': { schema: schemaOf(shapes, undefined), ...(examples ? { examples } : {}) },
    },
  };
}

function describeHeaders(names: readonly string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function describeContent(contents: readonly Content[]): Json {
  return Object.fromEntries(
    contents.map(({ type = 'application/json', shape, text, examples }) => [
      type,
      { schema: schemaOf(shape, text), ...(examples === undefined ? {} : { examples }) },
    ]),
  );
}

function schemaOf(shape: Content['shape'], text: string | undefined): Json {
  const references = [shape ?? []].flat().map((name) => ({ $ref: COMPONENTS + name }));
  const [only] = references;
  const schema = references.length > 1 ? { anyOf: references } : only;
  if (text === undefined) return schema ?? { type: 'object' };
  return { type: 'string', description: text, ...(schema ? { 'x-data': schema } : {}) };
}
