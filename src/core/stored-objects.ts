import { FluxError } from './errors.ts';

/** Whether a field's value names something; the field alone says it where nothing else is given. */
type Names = (value: unknown) => boolean;

const always: Names = () => true;
const byId: Names = (value) => isObject(value) && value.id != null;

/**
 * Fields that name an object stored at a provider (contract.md; T56), wherever in a body they stand. From the two SDKs'
 * types of 2026-11. `null` and an empty list name nothing.
 */
const NAMING_FIELDS: ReadonlyMap<string, Names> = new Map<string, Names>([
  ['file_id', always],
  ['file_ids', always],
  ['vector_store_id', always],
  ['vector_store_ids', always],
  ['container_id', always],
  // `{ type: "auto" }` and `{ skills }` make a new one; what these hold is looked at by itself.
  ['container', (value) => !isObject(value) || byId(value)],
  ['thread', always],
  ['conversation', always],
  ['skill_id', always],
  // A skill that comes along, or lies in the client's own environment, has no id.
  ['skills', (value) => !Array.isArray(value) || value.some((one) => !isObject(one) || one.skill_id != null)],
  ['previous_message_id', always],
  ['previous_response_id', always],
  ['comparison_response_id', always],
  // OpenAI's way into a network of the key's organisation.
  ['tunnel_id', always],
  // A stored prompt, an earlier spoken answer, a cloned voice; as text or settings they are the client's own.
  ['prompt', byId],
  ['audio', byId],
  ['voice', byId],
]);

/** Items of `input` (Responses) that stand for one that is stored. */
const NAMING_ITEMS: readonly Names[] = [
  // The type may be left out.
  (item) =>
    isObject(item) &&
    (item.type === 'item_reference' || (item.type == null && item.role === undefined && item.id != null)),
  (item) => isObject(item) && item.type === 'image_generation_call' && item.result == null,
];

/** Under these stand the client's or the model's own words: arguments, schemas and labels, where any key may occur. */
const FREE_FIELDS: ReadonlySet<string> = new Set([
  'arguments',
  'input_examples',
  'input_schema',
  'parameters',
  'schema',
  'metadata',
  'client_metadata',
  'logit_bias',
  'headers',
  'env',
]);

/**
 * The first field of a body that names an object stored at a provider, as a path: `messages[0].content[1].file_id`.
 * @throws FluxError 400 where the answer itself would be stored
 */
export function storedObjectIn(body: unknown): string | null {
  if (!isObject(body)) return findBelow(body);
  if (body.background === true) {
    throw new FluxError(
      "'background' leaves the answer at the provider, where other customers of its key could read it: leave it out and stream instead.",
      { status: 400, code: 'stored_object', param: 'background' },
    );
  }
  return findInItems(body.input) ?? findInside(body);
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

function findInItems(items: unknown): string | null {
  if (!Array.isArray(items)) return null;
  const index = items.findIndex((item) => NAMING_ITEMS.some((names) => names(item)));
  return index === -1 ? null : `input[${index}].id`;
}

/** Its path from `value` on, which is put together only where there is one: most bodies are long and name none. */
function findInside(value: object): string | null {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = findBelow(value[index]);
      if (found !== null) return `[${index}]${found}`;
    }
    return null;
  }
  const isCall = 'type' in value && typeof value.type === 'string' && value.type.endsWith('tool_use');
  for (const [key, field] of Object.entries(value)) {
    if (field == null || FREE_FIELDS.has(key)) continue;
    // Anthropic's arguments; elsewhere it is the conversation.
    if (isCall && key === 'input') continue;
    const isEmpty = Array.isArray(field) && field.length === 0;
    const names = isEmpty ? undefined : NAMING_FIELDS.get(key);
    if (names?.(field)) return names === byId ? `${key}.id` : key;
    const found = findBelow(field);
    if (found !== null) return `${key}${found}`;
  }
  return null;
}

/** As {@link findInside}, with what joins it to the path above. */
function findBelow(value: unknown): string | null {
  if (typeof value !== 'object' || value === null) return null;
  const found = findInside(value);
  return found === null || found.startsWith('[') ? found : `.${found}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
