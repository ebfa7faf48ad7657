import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  endOfValue,
  expect,
  isHolder,
  memberName,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
  skipSpace,
  stringEnd,
} from './json-scan.ts';

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
