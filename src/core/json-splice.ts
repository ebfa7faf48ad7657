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

/** As {@link spliceMembers}, in pieces, a few for each edit: to join them copies a long text once more. */
export function splicePieces(text: string, edits: Edits): string[] {
  const open = skipSpace(text, 0);
  expect(text, open, OPEN_BRACE);
  const pieces = new Pieces(text);
  pieces.keep(0, open);
  const end = spliceHolder(text, open, edits, pieces, text.lastIndexOf('}'));
  if (skipSpace(text, end) !== text.length) throw new SyntaxError('Text after the JSON object');
  pieces.keep(end, text.length);
  return pieces.all();
}

/** A text that is gathered from another: what stands together there is one piece. */
class Pieces {
  readonly #text: string;
  readonly #pieces: string[] = [];
  #from = 0;
  #to = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The text from one place to another, as it is. */
  keep(from: number, to: number): void {
    if (from !== this.#to) {
      this.#flush();
      this.#from = from;
    }
    this.#to = to;
  }

  /** The comma before what begins at `next`. */
  comma(next: number): void {
    if (this.#to === next - 1) this.keep(next - 1, next);
    else this.put(',');
  }

  put(text: string): void {
    this.#flush();
    this.#pieces.push(text);
    // Nothing goes on from here.
    this.#from = Number.NaN;
    this.#to = Number.NaN;
  }

  all(): string[] {
    this.#flush();
    return this.#pieces;
  }

  #flush(): void {
    if (this.#to > this.#from) this.#pieces.push(this.#text.slice(this.#from, this.#to));
    this.#from = this.#to;
  }
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
 * The object or array that opens at `open`, edited, into `pieces`; the position after it.
 * @param last where it closes, if that is known: what stands behind the last edit need not be read then
 */
function spliceHolder(
  text: string,
  open: number,
  edits: Edits,
  pieces: Pieces,
  last = Number.POSITIVE_INFINITY,
): number {
  const isArray = text.charCodeAt(open) === OPEN_BRACKET;
  const close = isArray ? CLOSE_BRACKET : CLOSE_BRACE;
  const added = new Map(Object.entries(edits));
  let isEmpty = true;
  /** @param next where its segment begins, if it has one */
  const separate = (next = Number.NaN): void => {
    if (!isEmpty) pieces.comma(next);
    isEmpty = false;
  };
  pieces.keep(open, open + 1);
  let at = skipSpace(text, open + 1);
  // A segment is what stands between two delimiters, white space included.
  let start = open + 1;
  for (let index = 0; text.charCodeAt(at) !== close; index += 1) {
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
    let end: number;
    if (typeof edit === 'object' && edit !== KEEP && isHolder(text, valueStart)) {
      separate(start);
      pieces.keep(start, valueStart);
      const valueEnd = spliceHolder(text, valueStart, edit, pieces);
      end = skipSpace(text, valueEnd);
      pieces.keep(valueEnd, end);
    } else {
      const valueEnd = endOfValue(text, valueStart);
      end = skipSpace(text, valueEnd);
      if (edit !== undefined) separate(start);
      if (typeof edit === 'object') pieces.keep(start, end);
      else if (edit !== undefined) {
        pieces.keep(start, valueStart);
        pieces.put(edit);
        pieces.keep(valueEnd, end);
      }
    }
    at = end;
    start = at;
    if (text.charCodeAt(at) === COMMA) {
      start = at + 1;
      at = skipSpace(text, start);
      if (text.charCodeAt(at) === close) throw new SyntaxError('A comma before the end of a JSON value');
      if (edit !== KEEP && at < last && last < text.length && !mayName(text, at, edits)) {
        separate(start);
        pieces.keep(start, last);
        at = last;
        start = last;
      }
    } else {
      expect(text, at, close);
    }
  }
  for (const [key, value] of added) {
    if (typeof value !== 'string') continue;
    separate();
    pieces.put(isArray ? value : `${JSON.stringify(key)}:${value}`);
  }
  // An empty one keeps its space.
  pieces.keep(isEmpty ? start : at, at + 1);
  return at + 1;
}

/** Whether a member of any of these names may come from there on. */
function mayName(text: string, from: number, edits: Edits): boolean {
  // Of a plain name nothing but `\u` can be another spelling.
  if (text.includes('\\u', from)) return true;
  return Object.keys(edits).some((name) => {
    if (!/^\w+$/.test(name)) return true;
    const quoted = `"${name}"`;
    // V8 searches far faster for six characters than for seven.
    return text.includes(quoted.slice(0, 6), from) && (quoted.length <= 6 || text.includes(quoted, from));
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
