const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** JSON text by member name: the member's new value, or `undefined` to take the member out. */
export type Edits = Record<string, string | undefined>;

/**
 * Edits top-level members of a JSON object as text. Everything that isn't edited stays byte for byte: numbers, key
 * order, white space, unknown members. A member that is there more than once is edited everywhere; a new one goes
 * to the end. The text must be valid JSON (the caller has parsed it); linear in its length.
 *
 * @throws SyntaxError where the text is not a JSON object.
 * @example spliceMembers('{"model": "auto", "n": 1.0}', { model: '"gpt-4o"' }) // '{"model": "gpt-4o", "n": 1.0}'
 */
export function spliceMembers(text: string, edits: Edits): string {
  const open = skipSpace(text, 0);
  expect(text, open, OPEN_BRACE);
  const kept: string[] = [];
  const added = new Map(Object.entries(edits));
  let at = skipSpace(text, open + 1);
  let space = text.slice(open + 1, at);
  while (text.charCodeAt(at) !== CLOSE_BRACE) {
    // A segment is what stands between two delimiters, white space included.
    const start = at - space.length;
    expect(text, at, QUOTE);
    const keyEnd = stringEnd(text, at);
    const key = memberName(text.slice(at, keyEnd));
    const colon = skipSpace(text, keyEnd);
    expect(text, colon, COLON);
    const valueStart = skipSpace(text, colon + 1);
    const valueEnd = endOfValue(text, valueStart);
    const end = skipSpace(text, valueEnd);
    if (!Object.hasOwn(edits, key)) {
      kept.push(text.slice(start, end));
    } else {
      const value = edits[key];
      if (value !== undefined) kept.push(text.slice(start, valueStart) + value + text.slice(valueEnd, end));
      added.delete(key);
    }
    at = end;
    space = '';
    if (text.charCodeAt(at) === COMMA) {
      const next = skipSpace(text, at + 1);
      space = text.slice(at + 1, next);
      at = next;
      expect(text, at, QUOTE);
    } else {
      expect(text, at, CLOSE_BRACE);
    }
  }
  if (skipSpace(text, at + 1) !== text.length) throw new SyntaxError('Text after the JSON object');
  for (const [key, value] of added) {
    if (value !== undefined) kept.push(`${JSON.stringify(key)}:${value}`);
  }
  // Not joined: that would copy a long text once more.
  const members = kept.length > 0 ? kept.reduce((all, member) => `${all},${member}`) : space;
  return text.slice(0, open + 1) + members + text.slice(at);
}

function memberName(quoted: string): string {
  const name: unknown = JSON.parse(quoted);
  return String(name);
}

function expect(text: string, at: number, code: number): void {
  if (text.charCodeAt(at) !== code) {
    throw new SyntaxError(
      `Expected ${JSON.stringify(String.fromCharCode(code))} at position ${at} of a JSON object`,
    );
  }
}

function skipSpace(text: string, from: number): number {
  let at = from;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) return at;
    at += 1;
  }
}

/** The position after the string that opens at `from`. Runs of backslashes don't overlap, so this stays linear. */
function stringEnd(text: string, from: number): number {
  let quote = text.indexOf('"', from + 1);
  while (quote !== -1) {
    let before = quote - 1;
    while (text.charCodeAt(before) === BACKSLASH) before -= 1;
    if ((quote - before) % 2 === 1) return quote + 1;
    quote = text.indexOf('"', quote + 1);
  }
  throw new SyntaxError('Unterminated string in a JSON object');
}

function endOfValue(text: string, from: number): number {
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
