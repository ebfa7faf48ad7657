/** With more references than this a schema may unfold exponentially (two references a definition, n deep: 2ⁿ). */
const MOST_REFERENCES = 32;

/** Keywords that run a pattern of the client's over text the client can dictate: one such pattern hangs an isolate (T11). */
const PATTERNS: ReadonlySet<string> = new Set(['pattern', 'patternProperties', 'propertyNames', 'format']);
/** Keywords whose values are schemas by name; the names are the client's own words. */
const BY_NAME: ReadonlySet<string> = new Set(['properties', '$defs', 'definitions', 'dependentSchemas']);
/** Keywords whose values are data, not schemas. */
const DATA: ReadonlySet<string> = new Set([
  'enum',
  'const',
  'default',
  'examples',
  'required',
  'dependentRequired',
]);

/**
 * A client's JSON Schema in the part that can be checked in bounded time; what is left out is no evidence against
 * an answer. Linear in the schema.
 * @returns null where it can't be checked at all
 */
export function boundedSchema(schema: Record<string, unknown>): Record<string, unknown> | null {
  let references = 0;
  const copy = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(copy);
    if (typeof value !== 'object' || value === null) return value;
    const kept: Record<string, unknown> = {};
    for (const [keyword, inner] of Object.entries(value)) {
      if (PATTERNS.has(keyword)) continue;
      if (keyword === '$ref' || keyword === '$dynamicRef' || keyword === '$recursiveRef') references += 1;
      kept[keyword] = DATA.has(keyword) ? inner : BY_NAME.has(keyword) ? copyNamed(inner) : copy(inner);
    }
    return kept;
  };
  const copyNamed = (value: unknown): unknown =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, copy(inner)]))
      : copy(value);
  // A copy of an object is an object.
  const bounded = copy(schema) as Record<string, unknown>;
  return references > MOST_REFERENCES ? null : bounded;
}
