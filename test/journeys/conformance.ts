import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validator } from '@cfworker/json-schema';

/** The parts of OpenAI's published description that lie beside the repository, where they do. */
const FILE = join(import.meta.dirname, '../../../shared/conformance/openai-openapi.json');
export const hasDescription = existsSync(FILE);

const validators = new Map<string, Validator>();

/** What is wrong with an event of a Responses stream, by the schema of its type; null where there is none of it. */
export function eventViolations(event: { type: string }): string[] | null {
  const { schemas } = readComponents();
  const name = Object.keys(schemas).find((one) => schemas[one]?.properties?.type?.enum?.includes(event.type));
  return name === undefined ? null : violations(name, event);
}

interface Components {
  schemas: Record<string, { properties?: { type?: { enum?: string[] } } }>;
}

let components: Components | undefined;

function readComponents(): Components {
  components ??= toJsonSchema<Components>(JSON.parse(readFileSync(FILE, 'utf8')).components);
  return components;
}

/** What is wrong with a value by one of OpenAI's schemas; empty where nothing is. */
export function violations(schema: string, value: unknown): string[] {
  let validator = validators.get(schema);
  if (!validator) {
    const held = { $ref: `#/components/schemas/${schema}`, components: readComponents() };
    validator = new Validator(held, '2020-12', false);
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
