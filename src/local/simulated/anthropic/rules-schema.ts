import type { Rule } from './accepted.ts';

/** Strict tools and structured output: providers.md §3, "`strict: true`". */

const MAX_STRICT_TOOLS = 20;
const MAX_OPTIONAL = 24;
const MAX_UNIONS = 16;
const TOO_COMPLEX = 'Schema is too complex for compilation.';

/** Keywords the compiler doesn't know; the SDK helpers strip them. */
const UNSUPPORTED: Record<string, readonly string[]> = {
  number: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  integer: ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf'],
  string: ['minLength', 'maxLength'],
  array: ['maxItems', 'uniqueItems'],
  object: ['minProperties', 'maxProperties'],
};

interface Tally {
  optional: number;
  unions: number;
}

const strictSchemas: Rule = ({ body }) => {
  const tally: Tally = { optional: 0, unions: 0 };
  let strictTools = 0;
  for (const [index, tool] of (body.tools ?? []).entries()) {
    if (!('strict' in tool) || tool.strict !== true || !('input_schema' in tool)) continue;
    strictTools += 1;
    const complaint = complaintAbout(tool.input_schema, tool.input_schema, tally, []);
    if (complaint !== undefined) return `tools.${index}.custom: ${complaint}`;
  }
  const schema = body.output_config?.format?.schema;
  if (schema !== undefined) {
    const complaint = complaintAbout(schema, schema, tally, []);
    if (complaint !== undefined) return `output_config.format.schema: ${complaint}`;
  }
  return strictTools > MAX_STRICT_TOOLS || tally.optional > MAX_OPTIONAL || tally.unions > MAX_UNIONS
    ? TOO_COMPLEX
    : undefined;
};

const formatWithoutPrefill: Rule = ({ body }) =>
  body.output_config?.format != null && body.messages.at(-1)?.role === 'assistant'
    ? 'output_config.format: structured outputs cannot be used with a prefilled assistant message'
    : undefined;

export const SCHEMA_RULES: readonly Rule[] = [strictSchemas, formatWithoutPrefill];

function complaintAbout(
  schema: unknown,
  root: unknown,
  tally: Tally,
  references: readonly string[],
): string | undefined {
  if (!isRecord(schema)) return undefined;
  const reference = schema.$ref;
  if (typeof reference === 'string') {
    if (references.includes(reference)) return 'Recursive schemas are not supported';
    return complaintAbout(lookUp(reference, root), root, tally, [...references, reference]);
  }
  const { type } = schema;
  if (Array.isArray(type) || Array.isArray(schema.anyOf)) tally.unions += 1;
  for (const one of Array.isArray(type) ? type : [type]) {
    const bad = (UNSUPPORTED[String(one)] ?? []).filter((keyword) => keyword in schema);
    if (bad.length > 0) return `For '${one}' type, properties ${bad.join(', ')} are not supported`;
  }
  const { minItems } = schema;
  if (typeof minItems === 'number' && minItems > 1) {
    return "For 'array' type, 'minItems' values other than 0 or 1 are not supported";
  }
  const properties = isRecord(schema.properties) ? schema.properties : undefined;
  if (type === 'object' || properties !== undefined) {
    if (schema.additionalProperties !== false) {
      return "For 'object' type, 'additionalProperties' must be explicitly set to false";
    }
    const required = Array.isArray(schema.required) ? schema.required : [];
    tally.optional += Object.keys(properties ?? {}).filter((name) => !required.includes(name)).length;
  }
  const inner = [
    ...Object.values(properties ?? {}),
    schema.items,
    ...['anyOf', 'oneOf', 'allOf'].flatMap((union): unknown[] => {
      const branches = schema[union];
      return Array.isArray(branches) ? branches : [];
    }),
  ];
  for (const one of inner) {
    const complaint = complaintAbout(one, root, tally, references);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}

function lookUp(reference: string, root: unknown): unknown {
  let value = root;
  for (const step of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    value = isRecord(value) ? value[step] : undefined;
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
