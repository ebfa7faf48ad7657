const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/**
 * What becomes of one value: another JSON text, `undefined` to take it out of its holder, or edits further inside it,
 * by member name, or by index where it is an array (`{ messages: { 3: { content: { 0: undefined } } } }`).
 */
export type Edit = string | undefined | Edits;
export interface Edits {
  [nameOrIndex: string]: Edit;
}

/**
 * Edits a JSON object as text. Everything that isn't edited stays byte for byte: numbers, key order, white space,
 * unknown members. A member that is there more than once is edited everywhere; a new text goes to the end, and what
 * would be edited inside a value that isn't there, or is no holder, is not. The text must be valid JSON (the caller
 * has parsed it); linear in its length.
 *
 * @throws SyntaxError where the text is not a JSON object.
 * @example spliceMembers('{"model": "auto", "n": 1.0}', { model: '"gpt-4o"' }) // '{"model": "gpt-4o", "n": 1.0}'
 */
export function spliceMembers(text: string, edits: Edits): string {
  return splicePieces(text, edits).join('');
}

/** As {@link spliceMembers}, in pieces: to join them copies a long text once more. */
export function splicePieces(text: string, edits: Edits): string[] {
  const open = skipSpace(text, 0);
  expect(text, open, OPEN_BRACE);
  const { pieces, end } = spliceHolder(text, open, edits, text.lastIndexOf('}'));
  if (skipSpace(text, end) !== text.length) throw new SyntaxError('Text after the JSON object');
  return [text.slice(0, open), ...pieces, text.slice(end)];
}

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

/**
 * The object or array that opens at `open`, edited, and the position after it.
 * @param last where it closes, if that is known: what stands behind the last edit need not be read then
 */
function spliceHolder(
  text: string,
  open: number,
  edits: Edits,
  last = Number.POSITIVE_INFINITY,
): { pieces: string[]; end: number } {
  const isArray = text.charCodeAt(open) === OPEN_BRACKET;
  const close = isArray ? CLOSE_BRACKET : CLOSE_BRACE;
  const pieces = [text.charAt(open)];
  const keep = (...segment: string[]): void => {
    if (pieces.length > 1) pieces.push(',');
    for (const piece of segment) pieces.push(piece);
  };
  const added = new Map(Object.entries(edits));
  let at = skipSpace(text, open + 1);
  let space = text.slice(open + 1, at);
  for (let index = 0; text.charCodeAt(at) !== close; index += 1) {
    // A segment is what stands between two delimiters, white space included.
    const start = at - space.length;
    let key = String(index);
    let valueStart = at;
    if (!isArray) {
      expect(text, at, QUOTE);
      const keyEnd = stringEnd(text, at);
      key = memberName(text.slice(at, keyEnd));
      const colon = skipSpace(text, keyEnd);
      expect(text, colon, COLON);
      valueStart = skipSpace(text, colon + 1);
    }
    const edit = Object.hasOwn(edits, key) ? edits[key] : KEEP;
    added.delete(key);
    const inner =
      typeof edit === 'object' && edit !== KEEP && isHolder(text, valueStart)
        ? spliceHolder(text, valueStart, edit)
        : undefined;
    const valueEnd = inner ? inner.end : endOfValue(text, valueStart);
    const end = skipSpace(text, valueEnd);
    if (inner) keep(text.slice(start, valueStart), ...inner.pieces, text.slice(valueEnd, end));
    else if (typeof edit === 'object') keep(text.slice(start, end));
    else if (edit !== undefined) keep(text.slice(start, valueStart), edit, text.slice(valueEnd, end));
    at = end;
    space = '';
    if (text.charCodeAt(at) === COMMA) {
      const next = skipSpace(text, at + 1);
      space = text.slice(at + 1, next);
      at = next;
      if (text.charCodeAt(at) === close) throw new SyntaxError('A comma before the end of a JSON value');
      if (edit !== KEEP && at < last && last < text.length && !mayName(text, at, edits)) {
        keep(text.slice(at - space.length, last));
        at = last;
      }
    } else {
      expect(text, at, close);
    }
  }
  for (const [key, value] of added) {
    if (typeof value === 'string') keep(isArray ? value : `${JSON.stringify(key)}:${value}`);
  }
  if (pieces.length === 1) pieces.push(space);
  pieces.push(text.charAt(at));
  return { pieces, end: at + 1 };
}

/** Whether a member of any of these names may come from there on. */
function mayName(text: string, from: number, edits: Edits): boolean {
  // Of a plain name nothing but `\u` can be another spelling.
  if (text.includes('\\u', from)) return true;
  return Object.keys(edits).some((name) => {
    // The engine looks for a few characters by the first of them, and for more of them place by place: eight times slower.
    const quoted = `"${name}"`;
    return !/^\w+$/.test(name) || (text.includes(quoted.slice(0, 6), from) && text.includes(quoted, from));
  });
}

/** Stands for "no edit", which `undefined` can't: that takes a value out. */
const KEEP: Edits = {};

function isHolder(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code === OPEN_BRACE || code === OPEN_BRACKET;
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
