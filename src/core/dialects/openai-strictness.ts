import type { Conversation, Tool } from '../conversation.ts';
import type { Report } from '../routing/adaptation.ts';
import { isObject, type JsonObject } from './provider-json.ts';

/**
 * `strict` only where OpenAI takes the schema so: closed objects with every property required (providers.md §4). An
 * optional property would have to become nullable, and null is not what the tool's owner expects there; such a tool
 * is called without the guarantee, which is reported.
 */
export function strictForOpenAi(conversation: Conversation, report: Report): Conversation {
  const { tools, output } = conversation;
  let adapted = conversation;
  if (tools.some(isTooLoose)) {
    report({ field: 'tools.strict', action: 'dropped' });
    adapted = { ...adapted, tools: tools.map((tool) => (isTooLoose(tool) ? lax(tool) : tool)) };
  }
  const { format } = output;
  if (format?.type === 'json_schema' && format.strict === true && !isStrictSchema(format.schema)) {
    report({ field: 'response_format.json_schema.strict', action: 'dropped' });
    adapted = { ...adapted, output: { ...output, format: { ...format, strict: false } } };
  }
  return adapted;
}

function isTooLoose({ strict, parameters }: Tool): boolean {
  return strict === true && parameters !== undefined && !isStrictSchema(parameters);
}

function lax({ strict: _strict, ...tool }: Tool): Tool {
  return tool;
}

/** Words that OpenAI's compiler refuses in a strict schema. */
const REFUSED = ['allOf', 'oneOf', 'not', 'if', 'then', 'else', 'dependentRequired', 'patternProperties'];
const DEEPEST = 10;

function isStrictSchema(schema: unknown, depth = 1): boolean {
  if (!isObject(schema)) return true;
  if (depth > DEEPEST || REFUSED.some((word) => word in schema)) return false;
  const properties = isObject(schema.properties) ? schema.properties : {};
  if (depth === 1 && schema.type !== 'object') return false;
  const isMap = [schema.type].flat().includes('object') || schema.properties !== undefined;
  if (isMap && !isClosed(schema, properties)) return false;
  const sameLevel = [schema.anyOf, isObject(schema.$defs) ? Object.values(schema.$defs) : []].flat();
  return (
    [...Object.values(properties), schema.items].every((inner) => isStrictSchema(inner, depth + 1)) &&
    sameLevel.every((inner) => isStrictSchema(inner, Math.max(depth, 2)))
  );
}

function isClosed({ additionalProperties, required }: JsonObject, properties: JsonObject): boolean {
  const named = new Set(Array.isArray(required) ? required : []);
  return additionalProperties === false && Object.keys(properties).every((name) => named.has(name));
}
