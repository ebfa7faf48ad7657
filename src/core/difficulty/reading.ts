import { type Entry, LEXICON, stem } from './lexicon.ts';
import { classOf, countLineStart, countMark, DIGIT, JOINER, LETTER, type Marks, SEPARATOR } from './marks.ts';
import { TOLD, WORD_KINDS, type WordKind } from './words.ts';

/** What one pass over a turn's text counts. */
export interface Reading extends Marks {
  characters: number;
  words: number;
  numbers: number;
  /** Names as programs write them: snake_case, camelCase. */
  identifiers: number;
  /** Different words that are no keyword of a hard task, counted up to {@link ENOUGH}. */
  substance: number;
  /** The first word, in lower case. */
  opening: string;
  /** Told, at one end, to work on a text: what lies between is material. */
  textWork: boolean;
  /** Different words of each kind: saying one twice is no more evidence. */
  kinds: Record<WordKind, number>;
}

/** Words of substance at which a turn has all it needs. */
export const ENOUGH = 8;

/** Characters from either end in which an instruction to work on a text stands. */
const EDGE = 120;

/** Longer words are hashes, paths and encoded data. */
const LONGEST_WORD = 24;

const NEGATED = /n['’]t$/;
const NOT: Entry = { kinds: ['negate'], hardening: false, startsPair: false, beforeTold: false };

/** Reads a text once, front to back: time is linear in its length whatever it holds (T11). */
export function read(text: string): Reading {
  const lower = text.toLowerCase();
  // A few letters change length in lower case (İ); positions must agree, and such text is hardly English.
  const plain = lower.length === text.length ? lower : text;
  const reading = emptyReading(text.length);
  const words = new WordReader(reading, plain.length);
  let lineStart = true;
  for (let at = 0; at < plain.length; ) {
    const code = plain.charCodeAt(at);
    const kind = classOf(code);
    if (kind !== LETTER && kind !== DIGIT) {
      const { sentences } = reading;
      countMark(reading, code, plain.charCodeAt(at + 1), lineStart);
      if (code === 10) lineStart = true;
      else if (code > 32) lineStart = false;
      if (code === 10 || code === 58 || code === 44 || reading.sentences > sentences) words.begin(); // newline : ,
      at += 1;
      continue;
    }
    const start = at;
    let digits = 0;
    let named = false;
    let foreign = false;
    for (; at < plain.length; at += 1) {
      const inner = plain.charCodeAt(at);
      const innerKind = classOf(inner);
      if (innerKind === SEPARATOR) break;
      if (innerKind === DIGIT) digits += 1;
      else if (inner === 95 || (at > start && isHump(text, at))) named = true;
      if (inner > 127) foreign = true;
    }
    if (lineStart) countLineStart(reading, plain, start, at);
    lineStart = false;
    let end = at;
    while (end > start + 1 && classOf(plain.charCodeAt(end - 1)) === JOINER) end -= 1; // a closing quote
    const length = end - start;
    // Scripts without spaces: some two characters a word.
    reading.words += foreign && length > 12 ? Math.ceil(length / 2) : 1;
    if (named) reading.identifiers += 1;
    if (digits > 0 && digits >= length - 2) {
      reading.numbers += 1;
      words.skip();
    } else if (length > LONGEST_WORD) words.skip();
    else words.take(plain.slice(start, end), start);
  }
  reading.substance = words.substance;
  return reading;
}

/** A capital after a small letter: mapController. */
function isHump(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code < 65 || code > 90) return false;
  const before = text.charCodeAt(at - 1);
  return before >= 97 && before <= 122;
}

/** Looks words up one after the other, alone and in pairs, and knows where a turn tells to do something. */
class WordReader {
  private readonly reading: Reading;
  private readonly textLength: number;
  private readonly seen = new Set<string>();
  private readonly others = new Set<string>();
  /** Stem of the word before, where a pair may begin with it. */
  private pairStart = '';
  private told = true;
  private toldBefore = false;

  constructor(reading: Reading, textLength: number) {
    this.reading = reading;
    this.textLength = textLength;
  }

  get substance(): number {
    return this.others.size;
  }

  /** A new sentence, line or clause: a verb that follows is told to do. */
  begin(): void {
    this.told = true;
  }

  /** Something that is no word of a language. */
  skip(): void {
    this.pairStart = '';
    this.told = false;
  }

  take(word: string, start: number): void {
    if (this.reading.opening === '') this.reading.opening = word;
    const root = stem(word);
    const entry = LEXICON.get(root);
    if (entry !== undefined) {
      this.note(root, entry, this.told);
      const atEdge = start < EDGE || start > this.textLength - EDGE;
      if (this.told && atEdge && entry.kinds.includes('compose')) this.reading.textWork = true;
    }
    if (this.others.size < ENOUGH && !entry?.hardening) this.others.add(root);
    if (this.pairStart !== '') this.takePair(root);
    if (NEGATED.test(word)) this.note('not', NOT, false);
    this.pairStart = entry?.startsPair ? root : '';
    this.toldBefore = this.told;
    this.told = entry?.beforeTold ?? false;
  }

  private takePair(root: string): void {
    const pair = `${this.pairStart} ${root}`;
    const entry = LEXICON.get(pair);
    if (entry === undefined) return;
    this.note(pair, entry, this.told || this.toldBefore);
    this.others.delete(this.pairStart);
    this.others.delete(root);
  }

  private note(key: string, entry: Entry, told: boolean): void {
    if (this.seen.has(key)) return;
    for (const kind of entry.kinds) {
      if (!told && TOLD.has(kind)) continue;
      this.reading.kinds[kind] += 1;
      this.seen.add(key);
    }
  }
}

const NO_KINDS = Object.fromEntries(WORD_KINDS.map((kind) => [kind, 0])) as Record<WordKind, number>; // every kind is a key

function emptyReading(characters: number): Reading {
  return {
    characters,
    words: 0,
    numbers: 0,
    identifiers: 0,
    substance: 0,
    opening: '',
    textWork: false,
    kinds: { ...NO_KINDS },
    sentences: 0,
    questionMarks: 0,
    commas: 0,
    items: 0,
    options: 0,
    symbols: 0,
    operators: 0,
  };
}
