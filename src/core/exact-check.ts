import * as z from 'zod';

type Check = (value: unknown) => boolean;

/**
 * A schema of JSON as a function that says whether a value is exactly of it: reading it would change nothing, so it need
 * not be copied. In a fraction of the time that zod takes where no code may be compiled, as in a Worker. What it denies,
 * the schema may still take: a value with a default left out, or with members that are dropped. Not for schemas that
 * change what they read (transforms, `overwrite`).
 *
 * @example exactCheck(z.object({ a: z.number().default(0) }))({}) // false
 */
export function exactCheck<T>(schema: z.ZodType<T>): (value: unknown) => value is T {
  // What is exactly of the schema is of its type.
  return checkOf(schema) as (value: unknown) => value is T;
}

function checkOf(schema: z.core.$ZodType): Check {
  // With its checks, if it has any.
  if (schema instanceof z.ZodNumber) return numberCheck(schema) ?? primitiveCheck(schema);
  if (schema instanceof z.ZodString) return stringCheck(schema) ?? primitiveCheck(schema);
  const check = kindCheck(schema);
  // Refined: more is asked of it than its kind.
  return schema._zod.def.checks?.length
    ? (value) => check(value) && z.safeParse(schema, value).success
    : check;
}

function kindCheck(schema: z.core.$ZodType): Check {
  if (schema instanceof z.ZodObject) return objectCheck(schema);
  if (schema instanceof z.ZodOptional) return checkOf(schema.unwrap());
  if (schema instanceof z.ZodNullable) {
    const inner = checkOf(schema.unwrap());
    return (value) => value === null || inner(value);
  }
  if (schema instanceof z.ZodDefault) return checkOf(schema.unwrap());
  if (schema instanceof z.ZodArray) {
    const element = checkOf(schema.element);
    return (value) => Array.isArray(value) && value.every(element);
  }
  if (schema instanceof z.ZodRecord && isAnyText(schema.keyType)) {
    const member = checkOf(schema.valueType);
    return (value) => isPlain(value) && Object.values(value).every(member);
  }
  if (schema instanceof z.ZodEnum) {
    const options = new Set<unknown>(schema.options);
    return (value) => options.has(value);
  }
  if (schema instanceof z.ZodBoolean) return (value) => typeof value === 'boolean';
  if (schema instanceof z.ZodUnknown) return () => true;
  return primitiveCheck(schema);
}

/** By zod itself. Of an object it makes another, perhaps with a default in it. */
function primitiveCheck(schema: z.core.$ZodType): Check {
  return (value) => {
    if (typeof value === 'object' && value !== null) return false;
    const read = z.safeParse(schema, value);
    return read.success && read.data === value;
  };
}

function objectCheck(schema: z.ZodObject): Check {
  const members = new Map(Object.entries(schema.shape).map(([name, member]) => [name, checkOf(member)]));
  const required = Object.entries(schema.shape).flatMap(([name, member]) =>
    member instanceof z.ZodOptional ? [] : [name],
  );
  // What it does not know stays only in a loose one; of this name it stays in none.
  const isLoose = schema.def.catchall instanceof z.ZodUnknown;
  return (value) => {
    if (!isPlain(value)) return false;
    for (const name of required) if (!Object.hasOwn(value, name)) return false;
    for (const name in value) {
      const check = members.get(name);
      if (check ? !check(value[name]) : !isLoose || name === '__proto__') return false;
    }
    return true;
  };
}

function isAnyText(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodString && schema.format === null && !schema.def.checks?.length;
}

const LENGTHS = new Set(['min_length', 'max_length']);

/** Undefined where more is asked of it than a length. */
function stringCheck(schema: z.ZodString): Check | undefined {
  if (schema.format !== null) return undefined;
  if (schema.def.checks?.some((check) => !LENGTHS.has(check._zod.def.check))) return undefined;
  const least = schema.minLength ?? 0;
  const most = schema.maxLength ?? Number.POSITIVE_INFINITY;
  return (value) => typeof value === 'string' && value.length >= least && value.length <= most;
}

const BOUNDS = new Set(['number_format', 'greater_than', 'less_than']);

/** Undefined where more is asked of it than bounds and to be whole. */
function numberCheck(schema: z.ZodNumber): Check | undefined {
  if (schema.def.checks?.some((check) => !BOUNDS.has(check._zod.def.check))) return undefined;
  const least = schema.minValue ?? Number.NEGATIVE_INFINITY;
  const most = schema.maxValue ?? Number.POSITIVE_INFINITY;
  const ends = new Set([least, most].filter((end) => z.safeParse(schema, end).success));
  const isKind = schema.isInt ? Number.isSafeInteger : Number.isFinite;
  return (value) =>
    typeof value === 'number' && isKind(value) && ((value > least && value < most) || ends.has(value));
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
