/* JSON as text: where its values begin and end, for what parsing and writing it again would change. */

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;

/**
 * The text of a value inside a JSON text, by member names and indexes: what parsing and writing it again may change
 * (`1.0`, 64-bit numbers, the order of keys). Undefined where there is none. The text must be valid JSON.
 *
 * @example valueText('{"content": [{"input": {"n": 1.0}}]}', ['content', 0, 'input']) // '{"n": 1.0}'
 */
export function valueText(text: string, path: readonly (string | number)[]): string | undefined {
  let at = skipSpace(text, 0);
  for (const step of path) {
    const inner = isHolder(text, at) ? innerStart(text, at, String(step)) : undefined;
    if (inner === undefined) return undefined;
    at = inner;
  }
  return text.slice(at, endOfValue(text, at));
}

/**
 * The texts of an array's elements, in one pass; none where there is no array.
 *
 * @example elementTexts('{"content": [{"n": 1.0}, 2]}', ['content']) // ['{"n": 1.0}', '2']
 */
export function elementTexts(text: string, path: readonly (string | number)[]): string[] {
  const array = valueText(text, path);
  if (array === undefined || array.charCodeAt(0) !== OPEN_BRACKET) return [];
  const texts: string[] = [];
  let at = skipSpace(array, 1);
  while (array.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = endOfValue(array, at);
    texts.push(array.slice(at, end));
    at = skipSpace(array, end);
    if (array.charCodeAt(at) === COMMA) at = skipSpace(array, at + 1);
  }
  return texts;
}

/** Where the value of a member, or of an index, begins in the holder that opens at `open`. */
function innerStart(text: string, open: number, name: string): number | undefined {
  const isArray = text.charCodeAt(open) === OPEN_BRACKET;
  const close = isArray ? CLOSE_BRACKET : CLOSE_BRACE;
  let found: number | undefined;
  let at = skipSpace(text, open + 1);
  for (let index = 0; text.charCodeAt(at) !== close; index += 1) {
    let key = String(index);
    if (!isArray) {
      expect(text, at, QUOTE);
      const keyEnd = stringEnd(text, at);
      key = memberName(text.slice(at, keyEnd));
      at = skipSpace(text, skipSpace(text, keyEnd) + 1);
    }
    // Of a member that is there more than once JSON.parse takes the last.
    if (key === name) found = at;
    if (isArray && found !== undefined) break;
    at = skipSpace(text, endOfValue(text, at));
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1);
  }
  return found;
}

export function isHolder(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === OPEN_BRACE || code === OPEN_BRACKET;
}

export function memberName(quoted: string): string {
  const name: unknown = JSON.parse(quoted);
  return String(name);
}

export function expect(text: string, at: number, code: number): void {
  if (text.charCodeAt(at) !== code) {
    throw new SyntaxError(
      `Expected ${JSON.stringify(String.fromCharCode(code))} at position ${at} of a JSON object`,
    );
  }
}

export function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}

/** The position after the string that opens at `from`. Runs of backslashes don't overlap, so this stays linear. */
export function stringEnd(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote !== -1) {
    let before = quote - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  throw new SyntaxError('Unterminated string in a JSON object');
}

export function endOfValue(text: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) {
      at = stringEnd(text, at);
      if (depth === 0) return at;
      continue;
    }
    if (code === OPEN_BRACE || code === OPEN_BRACKET) depth += 1;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === 0) break;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (code === COMMA || code <= 0x20)) break;
    at += 1;
  }
  if (at === from || depth > 0) throw new SyntaxError(`No value at position ${from} of a JSON object`);
  return at;
}
