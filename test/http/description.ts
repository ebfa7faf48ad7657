import { type OutputUnit, type Schema, Validator } from '@cfworker/json-schema';
import { describeApi } from '../../src/http/openapi/document.ts';

/** The description as its readers see it. */
export interface Operation {
  operationId: string;
  tags: string[];
  summary: string;
  security: Record<string, string[]>[];
  parameters?: { name: string; in: string; required?: boolean; schema: Schema; example?: unknown }[];
  requestBody?: { content: Record<string, Media> };
  responses: Record<string, Answer>;
}

export interface Answer {
  description: string;
  headers: Record<string, { $ref: string }>;
  content: Record<string, Media>;
}

export interface Media {
  schema: Schema;
  examples?: Record<string, { value: unknown }>;
}

export interface Description {
  openapi: string;
  info: { version: string };
  servers: { url: string }[];
  tags: { name: string }[];
  paths: Record<string, Record<string, Operation>>;
  components: Record<'schemas' | 'headers' | 'securitySchemes', Record<string, Schema>>;
}

/** As it is served: what JSON leaves out is not there. */
export const description = JSON.parse(JSON.stringify(describeApi())) as Description;

/** Every operation, as `GET /v1/models/{id}`. */
export const operations: ReadonlyMap<string, Operation> = new Map(
  Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, Operation] => [
      `${method.toUpperCase()} ${path}`,
      operation,
    ]),
  ),
);

const validators = new Map<Schema, Validator>();

/** What is wrong with a value by a schema of the description; empty where nothing is. */
export function faultsOf(value: unknown, schema: Schema): OutputUnit[] {
  let validator = validators.get(schema);
  if (!validator) {
    const { components } = description;
    validator = new Validator({ ...schema, components }, '2020-12', false);
    validators.set(schema, validator);
  }
  return validator.validate(value).errors;
}

/** The JSON of each `data:` of a stream, and whether it ended as it should. */
export function readFrames(text: string): { frames: unknown[]; done: boolean } {
  const data = text.split('\n').filter((line) => line.startsWith('data: '));
  const frames = data.map((line) => line.slice('data: '.length));
  return {
    frames: frames.filter((frame) => frame !== '[DONE]').map((frame) => JSON.parse(frame)),
    done: frames.at(-1) === '[DONE]',
  };
}

/** What is wrong with a body by its media type: JSON by its shape, a stream frame by frame, other text never. */
export function faultsOfBody(text: string, type: string, media: Media): OutputUnit[] {
  if (type === 'application/json') return faultsOf(JSON.parse(text), media.schema);
  const shape: unknown = media.schema['x-data'];
  if (typeof shape !== 'object' || shape === null) return faultsOf(text, media.schema);
  return readFrames(text).frames.flatMap((frame) => faultsOf(frame, shape));
}
