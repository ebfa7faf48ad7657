import { isObject, type JsonObject } from '../provider-json.ts';

/** A JSON schema as Anthropic's structured outputs and strict tools take it. */
export interface FittedSchema {
  schema: JsonObject;
  /** It says something else than the client's: limits became words, `additionalProperties` became false. */
  changed: boolean;
  /** Properties that may be left out, and places of more than one type: both are limited over a whole request. */
  optional: number;
  unions: number;
}

/** Limits over all strict schemas of a request (providers.md §3): else 400 "Schema is too complex". */
export const STRICT_LIMITS = { tools: 20, optional: 24, unions: 16 } as const;

// What the compiler takes (Anthropic's SDK, lib/transform-json-schema; default: structured outputs guide).
const KEPT = new Set(['title', 'description', 'default', 'required', 'enum', 'const', 'type', '$ref']);
const FORMATS = new Set('date-time time date duration email hostname uri ipv4 ipv6 uuid'.split(' '));
const NESTED = new Set(['properties', '$defs', 'definitions']);

/**
 * Fits a schema to Anthropic's compiler as its own SDK does: closed objects, `oneOf` as `anyOf`, limits it
 * doesn't know moved into the description. Null where a schema can't be said at all: recursion, maps and objects
 * without declared properties, external references.
 */
export function fitSchema(schema: JsonObject): FittedSchema | null {
  const walk = new Walk();
  const root = walk.fit(schema, ROOT);
  const tally = walk.impossible || !isObject(root) ? null : walk.tally(ROOT);
  return tally === null || !isObject(root) ? null : { schema: root, changed: walk.changed, ...tally };
}

const ROOT = '#';

/** What a definition holds by itself, and which others it refers to, each time it does. */
interface Part {
  optional: number;
  unions: number;
  references: string[];
}

/** One pass over a schema: fits each part and notes what the limits count. */
class Walk {
  changed = false;
  impossible = false;
  /** The root and each definition, by the reference that names it. */
  private readonly parts = new Map<string, Part>();
  private readonly tallies = new Map<string, { optional: number; unions: number } | null>();

  fit(schema: unknown, owner: string): unknown {
    if (!isObject(schema)) return this.refuse();
    const fitted: JsonObject = {};
    const words: string[] = [];
    for (const [key, value] of Object.entries(schema)) {
      // `$schema` names the draft and constrains nothing.
      if (key === '$schema' || key === 'additionalProperties') continue;
      if (key === '$ref') this.refer(owner, value);
      if (KEPT.has(key) || isTaken(key, value)) fitted[key] = value;
      else if (NESTED.has(key) && isObject(value)) fitted[key] = this.fitEach(key, value, owner);
      else if (key === 'items') fitted.items = this.fit(value, owner);
      else if (key === 'anyOf' || key === 'allOf') fitted[key] = this.fitAll(value, owner);
      else if (key === 'oneOf') fitted.anyOf = this.fitAll(value, owner, true);
      else words.push(`${key}: ${JSON.stringify(value)}`);
    }
    if ('anyOf' in schema && 'oneOf' in schema) this.refuse();
    const types: unknown[] = [schema.type].flat();
    if (types.includes('object') || isObject(schema.properties)) this.close(schema, fitted, owner);
    if (types.length > 1 || 'anyOf' in fitted) this.part(owner).unions += 1;
    if (!['type', 'anyOf', 'allOf', 'enum', 'const', '$ref'].some((key) => key in fitted)) this.refuse();
    if (words.length > 0) {
      this.changed = true;
      const before = typeof fitted.description === 'string' ? `${fitted.description}\n\n` : '';
      fitted.description = `${before}{${words.join(', ')}}`;
    }
    return fitted;
  }

  /** Sums of a part with all it refers to; null where it refers to itself. */
  tally(name: string): { optional: number; unions: number } | null {
    const known = this.tallies.get(name);
    if (known !== undefined) return known;
    // Met again before it is done, it is part of itself.
    this.tallies.set(name, null);
    const { optional, unions, references } = this.part(name);
    const sum = { optional, unions };
    for (const reference of references) {
      const inner = this.tally(reference);
      if (inner === null) return null;
      sum.optional += inner.optional;
      sum.unions += inner.unions;
    }
    this.tallies.set(name, sum);
    return sum;
  }

  private part(name: string): Part {
    const known = this.parts.get(name);
    if (known !== undefined) return known;
    const part: Part = { optional: 0, unions: 0, references: [] };
    this.parts.set(name, part);
    return part;
  }

  private close(schema: JsonObject, fitted: JsonObject, owner: string): void {
    const names = isObject(schema.properties) ? Object.keys(schema.properties) : [];
    // A map, or an object of any shape: closed, it could only ever be `{}`.
    if (isObject(schema.additionalProperties) || isObject(schema.patternProperties)) this.refuse();
    if (names.length === 0 && schema.additionalProperties !== false) this.refuse();
    if (schema.additionalProperties !== false) this.changed = true;
    fitted.additionalProperties = false;
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    this.part(owner).optional += names.filter((name) => !required.has(name)).length;
  }

  private fitEach(key: string, schemas: JsonObject, owner: string): JsonObject {
    const ownerOf = (name: string): string => (key === 'properties' ? owner : `#/${key}/${name}`);
    return Object.fromEntries(
      Object.entries(schemas).map(([name, schema]) => [name, this.fit(schema, ownerOf(name))]),
    );
  }

  private fitAll(schemas: unknown, owner: string, renamed = false): unknown {
    if (renamed) this.changed = true;
    return Array.isArray(schemas) ? schemas.map((schema) => this.fit(schema, owner)) : this.refuse();
  }

  private refer(owner: string, target: unknown): void {
    if (typeof target === 'string' && /^#(\/(\$defs|definitions)\/[^/]+)?$/.test(target)) {
      this.part(owner).references.push(target);
    } else {
      this.refuse();
    }
  }

  private refuse(): undefined {
    this.impossible = true;
  }
}

function isTaken(key: string, value: unknown): boolean {
  if (key === 'format') return typeof value === 'string' && FORMATS.has(value);
  return key === 'minItems' && (value === 0 || value === 1);
}
