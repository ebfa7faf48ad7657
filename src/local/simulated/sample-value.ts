/** Deeper than any schema a strict provider takes; ends recursive ones. */
const MAX_DEPTH = 12;

/**
 * A value that fits a JSON Schema, always the same one: the first of an enum, the first branch of a union, every
 * required property, and numbers and lengths inside their limits. Strings come from `text`, so that an argument
 * made for a tool repeats the ask.
 */
export function sampleValue(schema: unknown, text: string, root: unknown = schema, depth = 0): unknown {
  if (!isRecord(schema) || depth > MAX_DEPTH) return text;
  if (typeof schema.$ref === 'string') {
    return sampleValue(resolve(schema.$ref, root), text, root, depth + 1);
  }
  if ('const' in schema) return schema.const;
  if (Array.isArray(schema.enum)) return schema.enum[0];
  for (const union of ['anyOf', 'oneOf', 'allOf']) {
    const branches: unknown = schema[union];
    if (Array.isArray(branches) && branches.length > 0)
      return sampleValue(branches[0], text, root, depth + 1);
  }
  const declared = schema.type;
  const type: unknown = Array.isArray(declared) ? declared.find((one) => one !== 'null') : declared;
  switch (type) {
    case 'object':
      return sampleObject(schema, text, root, depth);
    case 'array': {
      const wanted = typeof schema.minItems === 'number' ? schema.minItems : 1;
      return Array.from({ length: wanted }, () => sampleValue(schema.items, text, root, depth + 1));
    }
    case 'integer':
    case 'number':
      return sampleNumber(schema);
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'string':
      return sampleString(schema, text);
    default:
      return 'properties' in schema ? sampleObject(schema, text, root, depth) : text;
  }
}

function sampleObject(schema: Record<string, unknown>, text: string, root: unknown, depth: number): unknown {
  const properties = isRecord(schema.properties) ? schema.properties : {};
  const required = Array.isArray(schema.required) ? schema.required : Object.keys(properties);
  return Object.fromEntries(
    Object.entries(properties)
      .filter(([name]) => required.includes(name))
      .map(([name, inner]) => [name, sampleValue(inner, text, root, depth + 1)]),
  );
}

function sampleNumber(schema: Record<string, unknown>): number {
  if (typeof schema.minimum === 'number') return schema.minimum;
  if (typeof schema.exclusiveMinimum === 'number') return schema.exclusiveMinimum + 1;
  return typeof schema.maximum === 'number' ? Math.min(1, schema.maximum) : 1;
}

/** Values for the string formats OpenAI's and Anthropic's structured outputs take. */
const FORMATS: Record<string, string> = {
  'date-time': '2026-01-02T03:04:05Z',
  date: '2026-01-02',
  time: '03:04:05Z',
  duration: 'P1D',
  email: 'simulated@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uuid: '00000000-0000-4000-8000-000000000000',
  uri: 'https://example.com/simulated',
};

function sampleString(schema: Record<string, unknown>, text: string): string {
  const format = schema.format;
  if (typeof format === 'string' && FORMATS[format] !== undefined) return FORMATS[format];
  const least = typeof schema.minLength === 'number' ? schema.minLength : 0;
  const most = typeof schema.maxLength === 'number' ? schema.maxLength : 200;
  return text.slice(0, most).padEnd(least, '.');
}

function resolve(reference: string, root: unknown): unknown {
  let value = root;
  for (const step of reference.replace(/^#\/?/, '').split('/').filter(Boolean)) {
    value = isRecord(value) ? value[step.replaceAll('~1', '/').replaceAll('~0', '~')] : undefined;
  }
  return value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
