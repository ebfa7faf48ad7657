import type { JsonObject } from './provider-json.ts';

/**
 * A tool's parameters as every provider takes them: at the root an object with properties, said so even where the
 * client left it out. A schema that says it already is returned as it is.
 */
export function parameterSchema(parameters: JsonObject | undefined): JsonObject {
  if (parameters?.type === 'object' && parameters.properties !== undefined) return parameters;
  return { properties: {}, ...parameters, type: 'object' };
}
