/** A union of literals: a plain `string`, which could hold anything, is `never`. */
type Word<T> = string extends T ? never : T extends string | number | boolean ? T : never;

/**
 * Writes one structured line to the console. Fields are numbers and words of a fixed set; a plain string is a
 * type error, so that no content, key or provider's message gets into a log by way of an error object (T48).
 *
 * @example logLine('warn', 'step_parked', { store: 'redis', count: 3 })
 */
export function logLine<const C extends string, const F extends Record<string, unknown>>(
  level: 'info' | 'warn' | 'error',
  code: Word<C>,
  fields?: { [K in keyof F]: Word<F[K]> },
): void {
  console[level](JSON.stringify({ level, code, ...fields }));
}
