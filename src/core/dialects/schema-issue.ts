import type * as z from 'zod';
import { isObject } from './provider-json.ts';

type Issue = z.core.$ZodIssue;

/** Of a union's branches, the one that went furthest: it says what is wrong inside, not that nothing fits. */
export function deepestIssue(issues: readonly Issue[], at: PropertyKey[] = []): Issue {
  let best: Issue | undefined;
  for (const issue of issues) {
    const path = [...at, ...issue.path];
    const inner =
      issue.code === 'invalid_union' && issue.errors.length > 0
        ? issue.errors
            .map((branch) => deepestIssue(branch, path))
            .reduce((a, b) => (b.path.length > a.path.length ? b : a))
        : { ...issue, path };
    if (!best || inner.path.length > best.path.length) best = inner;
  }
  return best ?? { code: 'custom', path: at, message: 'not valid', input: undefined };
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(whole: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((holder, key) => {
    if (Array.isArray(holder)) return holder[Number(key)];
    return isObject(holder) ? holder[String(key)] : undefined;
  }, whole);
}
