import { isObject, type JsonObject } from '../provider-json.ts';

/** A JSON schema as Anthropic's structured outputs and strict tools take it. */
export interface FittedSchema {
  schema: JsonObject;
  /** It says something else than the client's: limits became words, `additionalProperties` became false. */
  changed: boolean;
  /** Properties that may be left out, and those of more than one type: both are limited over a whole request. */
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
 * Fits a schema to Anthropic's compiler as its own SDK does: closed objects, `oneOf` as `anyOf`, limits that it
 * doesn't know moved into the description. Null where a schema can't be said at all: recursion, maps and objects
 * without declared properties, external references.
 */
export function fitSchema(schema: JsonObject): FittedSchema | null {
  const walk = new Walk();
  const root = walk.fit(schema, '');
  if (walk.impossible || !isObject(root) || walk.isRecursive()) return null;
  return { schema: root, changed: walk.changed, optional: walk.optional, unions: walk.unions };
}

class Walk {
  changed = false;
  impossible = false;
  optional = 0;
  unions = 0;
  /** Which definition refers to which; the root is ''. */
  private readonly references = new Map<string, Set<string>>();

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
    if (schema.type === 'object' || isObject(schema.properties)) this.close(schema, fitted);
    if (!['type', 'anyOf', 'allOf', 'enum', 'const', '$ref'].some((key) => key in fitted)) this.refuse();
    if (words.length > 0) {
      this.changed = true;
      const before = typeof fitted.description === 'string' ? `${fitted.description}\n\n` : '';
      fitted.description = `${before}{${words.join(', ')}}`;
    }
    return fitted;
  }

  /** Follows the references from the root: a definition met again on its own path is recursion. */
  isRecursive(): boolean {
    const done = new Set<string>();
    const path = new Set<string>();
    const visit = (name: string): boolean => {
      if (path.has(name)) return true;
      if (done.has(name)) return false;
      path.add(name);
      for (const next of this.references.get(name) ?? []) if (visit(next)) return true;
      path.delete(name);
      done.add(name);
      return false;
    };
    return visit('');
  }

  private close(schema: JsonObject, fitted: JsonObject): void {
    const properties = isObject(schema.properties) ? Object.entries(schema.properties) : [];
    // A map, or an object of any shape: closed, it could only ever be `{}`.
    if (isObject(schema.additionalProperties) || isObject(schema.patternProperties)) this.refuse();
    if (properties.length === 0 && schema.additionalProperties !== false) this.refuse();
    if (schema.additionalProperties !== false) this.changed = true;
    fitted.additionalProperties = false;
    const required = new Set(Array.isArray(schema.required) ? schema.required : []);
    for (const [name, property] of properties) {
      if (!required.has(name)) this.optional += 1;
      if (
        isObject(property) &&
        (Array.isArray(property.type) || 'anyOf' in property || 'oneOf' in property)
      ) {
        this.unions += 1;
      }
    }
  }

  private fitEach(key: string, schemas: JsonObject, owner: string): JsonObject {
    const fitted: JsonObject = {};
    for (const [name, schema] of Object.entries(schemas)) {
      fitted[name] = this.fit(schema, key === 'properties' ? owner : `#/${key}/${name}`);
    }
    return fitted;
  }

  private fitAll(schemas: unknown, owner: string, renamed = false): unknown {
    if (renamed) this.changed = true;
    return Array.isArray(schemas) ? schemas.map((schema) => this.fit(schema, owner)) : this.refuse();
  }

  private refer(owner: string, target: unknown): void {
    if (typeof target !== 'string' || !/^#(\/(\$defs|definitions)\/[^/]+)?$/.test(target)) {
      this.refuse();
      return;
    }
    const from = this.references.get(owner) ?? new Set();
    from.add(target === '#' ? '' : target);
    this.references.set(owner, from);
  }

  private refuse(): undefined {
    this.impossible = true;
  }
}

function isTaken(key: string, value: unknown): boolean {
  if (key === 'format') return typeof value === 'string' && FORMATS.has(value);
  return key === 'minItems' && (value === 0 || value === 1);
}
