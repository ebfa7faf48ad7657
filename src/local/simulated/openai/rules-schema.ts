import type { Refusal } from '../refusal.ts';
import { bad } from './errors.ts';

/** Strict schemas: providers.md §4, "Strict schemas" (limits of 2025). */
const MAX_DEPTH = 10;
const MAX_PROPERTIES = 5_000;
const MAX_ENUM_VALUES = 1_000;

interface Tally {
  properties: number;
  enumValues: number;
}

/** What is wrong with a schema that is to be strict; undefined if nothing. */
export function strictComplaint(schema: unknown): string | undefined {
  const tally: Tally = { properties: 0, enumValues: 0 };
  const complaint = complaintAbout(schema, [], 1, tally);
  if (complaint !== undefined) return complaint;
  if (tally.properties > MAX_PROPERTIES) return `Expected at most ${MAX_PROPERTIES} object properties.`;
  return tally.enumValues > MAX_ENUM_VALUES ? `Expected at most ${MAX_ENUM_VALUES} enum values.` : undefined;
}

/** Parameters must be an object; strict ones must be closed and complete. */
export function functionRefusal(
  tool: { name: string; parameters?: Record<string, unknown> | null | undefined },
  strict: boolean,
  param: string,
): Refusal | undefined {
  const { parameters } = tool;
  if (parameters == null) return undefined;
  const about = `Invalid schema for function '${tool.name}'`;
  if (parameters.type !== 'object') {
    const type = parameters.type === undefined ? 'None' : String(parameters.type);
    return bad(
      `${about}: schema must be a JSON Schema of 'type: "object"', got 'type: "${type}"'.`,
      param,
      'invalid_function_parameters',
    );
  }
  const complaint = strict ? strictComplaint(parameters) : undefined;
  return complaint === undefined
    ? undefined
    : bad(`${about}: ${complaint}`, param, 'invalid_function_parameters');
}

/** The schema of an answer: an object, and strict where it says so. */
export function formatRefusal(
  format: { name: string; schema: Record<string, unknown>; strict?: boolean | null | undefined },
  param: string,
): Refusal | undefined {
  const about = `Invalid schema for response_format '${format.name}'`;
  const { type } = format.schema;
  if (type !== 'object') {
    return bad(
      `${about}: schema must be a JSON Schema of 'type: "object"', got 'type: "${type === undefined ? 'None' : String(type)}"'.`,
      param,
      'invalid_json_schema',
    );
  }
  const complaint = format.strict === true ? strictComplaint(format.schema) : undefined;
  return complaint === undefined ? undefined : bad(`${about}: ${complaint}`, param, 'invalid_json_schema');
}

function complaintAbout(
  schema: unknown,
  context: readonly string[],
  depth: number,
  tally: Tally,
): string | undefined {
  if (!isRecord(schema)) return undefined;
  const at = `In context=(${context.map((step) => `'${step}'`).join(', ')}), `;
  if (depth > MAX_DEPTH) return `${at}schema exceeds the maximum of ${MAX_DEPTH} levels of nesting.`;
  if (Array.isArray(schema.enum)) tally.enumValues += schema.enum.length;
  const properties = isRecord(schema.properties) ? schema.properties : undefined;
  if (schema.type === 'object' || properties !== undefined) {
    if (schema.additionalProperties !== false) {
      return `${at}'additionalProperties' is required to be supplied and to be false.`;
    }
    const names = Object.keys(properties ?? {});
    tally.properties += names.length;
    const required = Array.isArray(schema.required) ? schema.required : [];
    const missing = names.find((name) => !required.includes(name));
    if (missing !== undefined) {
      return `${at}'required' is required to be supplied and to be an array including every key in properties. Missing '${missing}'.`;
    }
  }
  for (const [name, inner] of Object.entries(properties ?? {})) {
    const complaint = complaintAbout(inner, [...context, 'properties', name], depth + 1, tally);
    if (complaint !== undefined) return complaint;
  }
  const branches = Array.isArray(schema.anyOf) ? schema.anyOf : [];
  const definitions = isRecord(schema.$defs) ? Object.values(schema.$defs) : [];
  for (const inner of [...branches, ...definitions]) {
    const complaint = complaintAbout(inner, context, depth, tally);
    if (complaint !== undefined) return complaint;
  }
  return complaintAbout(schema.items, [...context, 'items'], depth + 1, tally);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
