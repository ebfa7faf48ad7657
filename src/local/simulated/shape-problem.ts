import type { core, ZodError } from 'zod';

export type Path = readonly PropertyKey[];

/** The first thing wrong with the shape of a body, before a provider finds its own words for it. */
export type ShapeProblem =
  | { kind: 'unknown'; path: Path }
  | { kind: 'missing'; path: Path }
  | { kind: 'type'; path: Path; expected: string; received: unknown }
  | { kind: 'value'; path: Path; values: string[]; received: unknown }
  | { kind: 'pattern'; path: Path; pattern: string }
  | { kind: 'limit'; path: Path; of: string; bound: 'max' | 'min'; limit: number; received: unknown };

/** Reads zod's first complaint about `body`, through unions, as a validator of one branch would put it. */
export function firstProblem(error: ZodError, body: unknown): ShapeProblem {
  const issue = error.issues[0];
  if (issue === undefined) return { kind: 'type', path: [], expected: 'object', received: body };
  return problemOf(issue, [], body);
}

/** The value at a path, undefined where there is none. */
export function valueAt(body: unknown, path: Path): unknown {
  let value = body;
  for (const key of path) {
    if (value === null || typeof value !== 'object') return undefined;
    // An index signature is how a value of unknown shape is read by a key of unknown kind.
    value = (value as Record<PropertyKey, unknown>)[key];
  }
  return value;
}

function problemOf(issue: core.$ZodIssue, above: Path, body: unknown): ShapeProblem {
  const path = [...above, ...issue.path];
  const received = valueAt(body, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return { kind: 'unknown', path: [...path, issue.keys[0] ?? ''] };
    case 'invalid_type':
      if (received === undefined) return { kind: 'missing', path };
      return { kind: 'type', path, expected: issue.expected, received };
    case 'invalid_value':
      if (received === undefined) return { kind: 'missing', path };
      return { kind: 'value', path, values: issue.values.map(String), received };
    case 'invalid_union':
      return unionProblem(issue, path, body);
    case 'invalid_format':
      return { kind: 'pattern', path, pattern: String(issue.pattern ?? '').replace(/^\/|\/$/g, '') };
    case 'too_big':
      return { kind: 'limit', path, of: issue.origin, bound: 'max', limit: Number(issue.maximum), received };
    case 'too_small':
      return { kind: 'limit', path, of: issue.origin, bound: 'min', limit: Number(issue.minimum), received };
    default:
      return { kind: 'type', path, expected: 'valid value', received };
  }
}

/** The branch meant is the one whose kind of value and `type` fit; without one, that of the unknown `type`. */
function unionProblem(issue: core.$ZodIssueInvalidUnion, path: Path, body: unknown): ShapeProblem {
  const received = valueAt(body, path);
  if (received === undefined) return { kind: 'missing', path };
  const aboutKind = (inner: core.$ZodIssue) => inner.path.length === 0 && inner.code === 'invalid_type';
  const aboutType = (inner: core.$ZodIssue) => inner.path.at(-1) === 'type' && inner.path.length === 1;
  const lacksDiscriminator = (inner: core.$ZodIssue) =>
    inner.code === 'invalid_union' && inner.path.length === 1 && valueAt(received, inner.path) === undefined;
  const sameKind = issue.errors.filter((branch) => !branch.some(aboutKind));
  const meant =
    sameKind.find((branch) => !branch.some(aboutType) && !branch.some(lacksDiscriminator)) ??
    sameKind.find((branch) => branch.some(aboutType)) ??
    sameKind[0];
  const inner = meant?.[0];
  if (inner !== undefined) return problemOf(inner, path, body);
  const expected = issue.errors.flat().flatMap((one) => (one.code === 'invalid_type' ? [one.expected] : []));
  if (expected.length > 0) return { kind: 'type', path, expected: expected.join(' or '), received };
  return { kind: 'value', path, values: [], received };
}
