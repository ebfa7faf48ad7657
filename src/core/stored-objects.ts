import { FluxError } from './errors.ts';

/** Fields that name an object stored at a provider (contract.md; T56). */
const NAMING_FIELDS: ReadonlySet<string> = new Set([
  'file_id',
  'file_ids',
  'container',
  'container_id',
  'thread',
  'conversation',
  'vector_store_ids',
  'skills',
  'previous_message_id',
  'comparison_response_id',
  'previous_response_id',
]);

/** Under these stand the client's own words: arguments, schemas and labels, where any key may occur. */
const FREE_FIELDS: ReadonlySet<string> = new Set([
  'arguments',
  'input_schema',
  'parameters',
  'schema',
  'metadata',
  'logit_bias',
]);

/**
 * The first field of a body that names an object stored at a provider, as a path: `messages[0].content[1].file_id`.
 * @throws FluxError 400 where the answer itself would be stored
 */
export function storedObjectIn(body: unknown): string | null {
  if (typeof body === 'object' && body !== null && 'background' in body && body.background === true) {
    throw new FluxError(
      "'background' leaves the answer at the provider, where other customers of its key could read it: leave it out and stream instead.",
      { status: 400, code: 'stored_object', param: 'background' },
    );
  }
  return typeof body === 'object' && body !== null ? findStoredObject(body, true) : null;
}

/**
 * Customers may share a provider key, so an object that one of them names could be another's.
 * @param where the provider whose key is shared, or more of them
 */
export function sharedStoredObject(field: string, where: string): FluxError {
  return new FluxError(
    `'${field}' names an object stored at a provider, and the key for ${where} is not your own: customers of this gateway may share it. Send the content itself, or set a provider key of your own (PATCH /api/settings, provider_keys).`,
    { status: 400, code: 'stored_object', param: field },
  );
}

/** Its path from `value` on, which is put together only where there is one: most bodies are long and name none. */
function findStoredObject(value: object, isTop = false): string | null {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = findBelow(value[index]);
      if (found !== null) return `[${index}]${found}`;
    }
    return null;
  }
  for (const [key, field] of Object.entries(value)) {
    if (field == null || FREE_FIELDS.has(key)) continue;
    if (NAMING_FIELDS.has(key)) return key;
    if (typeof field !== 'object') {
      if (key === 'type' && field === 'item_reference') return key;
      continue;
    }
    if ((key === 'prompt' || key === 'audio') && 'id' in field) return `${key}.id`;
    // A tool call's `input` (Anthropic) is the model's words; at the top it is the conversation (Responses).
    if (key === 'input' && !isTop) continue;
    const found = findBelow(field);
    if (found !== null) return `${key}${found}`;
  }
  return null;
}

/** As {@link findStoredObject}, with what joins it to the path above. */
function findBelow(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const found = findStoredObject(value);
  return found === null || found.startsWith('[') ? found : `.${found}`;
}
