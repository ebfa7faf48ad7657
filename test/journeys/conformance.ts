import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@cfworker/json-schema';

/** The parts of OpenAI's published description that lie beside the repository, where they do. */
const FILE = join(import.meta.dirname, '../../../shared/conformance/openai-openapi.json');
export const hasDescription = existsSync(FILE);

const validators = new Map<string, Validator>();
let components: unknown;

/** What is wrong with a value by one of OpenAI's schemas; empty where nothing is. */
export function violations(schema: string, value: unknown): string[] {
  let validator = validators.get(schema);
  if (!validator) {
    components ??= toJsonSchema(JSON.parse(readFileSync(FILE, 'utf8')).components);
    validator = new Validator({ $ref: `#/components/schemas/${schema}`, components }, '2020-12', false);
    validators.set(schema, validator);
  }
  const { valid, errors } = validator.validate(value);
  return valid ? [] : errors.map((error) => `${error.instanceLocation}: ${error.error}`);
}

/**
 * As JSON Schema has it: `nullable` is of OpenAPI 3.0, and the branches of the description's `oneOf` overlap (a user's
 * message fits two of them).
 */
function toJsonSchema<T>(node: T): T {
  if (Array.isArray(node)) return node.map(toJsonSchema) as T;
  if (typeof node !== 'object' || node === null) return node;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(node).map(([key, value]) => [key === 'oneOf' ? 'anyOf' : key, toJsonSchema(value)]),
  );
  // Same shape, keywords exchanged for others.
  return (nullable === true ? { anyOf: [rest, { type: 'null' }] } : rest) as T;
}
