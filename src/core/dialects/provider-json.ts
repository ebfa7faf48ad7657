import { FluxError } from '../errors.ts';

export type JsonObject = Record<string, unknown>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that is an object, else `undefined`. */
export function objectAt(holder: JsonObject, key: string): JsonObject | undefined {
  const value = holder[key];
  return isObject(value) ? value : undefined;
}

/** The objects in a member that is an array; none where it isn't one. */
export function objectsAt(holder: JsonObject, key: string): JsonObject[] {
  const value = holder[key];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

/** A member that is a string, else `undefined`. */
export function textAt(holder: JsonObject, key: string): string | undefined {
  const value = holder[key];
  return typeof value === 'string' ? value : undefined;
}

/** A member that must be a string for the answer to make sense. */
export function requiredText(holder: JsonObject, key: string): string {
  const value = holder[key];
  if (typeof value !== 'string') throw invalidAnswer(`no \`${key}\``);
  return value;
}

/** A count of tokens: 0 where the member is missing or no count. */
export function countAt(holder: JsonObject, key: string): number {
  const value = holder[key];
  return typeof value === 'number' && value > 0 && Number.isFinite(value) ? Math.round(value) : 0;
}

/** A 502: the provider's answer is not what its API promises. `what` names the fault without quoting content. */
export function invalidAnswer(what: string): FluxError {
  return new FluxError(
    `The provider sent an answer that can't be read: ${what}. Try again, or another model.`,
    {
      status: 502,
      code: 'invalid_provider_answer',
    },
  );
}
