import { BEFORE_TOLD, HARDENING, LEXICON, PAIR_STARTS, stem, TOLD, WORD_KINDS, type WordKind } from './words.ts';

/** What one pass over a turn's text counts. */
export interface Reading {
  words: number;
  /** Different words that are no keyword of a hard task, counted up to {@link ENOUGH}. */
  substance: number;
  sentences: number;
  numbers: number;
  /** Lines that begin as list items do. */
  items: number;
  /** Lines that begin as the options of a multiple-choice question do: "A. ". */
  options: number;
  questionMarks: number;
  /** Names as programs write them: snake_case, camelCase, dotted.path. */
  identifiers: number;
  /** Characters that code is dense in: braces, semicolons, `=`, `<`, `>`, backticks. */
  symbols: number;
  /** Characters of formulas: ^ + * / = \ and the like, beside numbers and letters. */
  operators: number;
  quotes: number;
  commas: number;
  characters: number;
  /** The first word, lower case, as it stands. */
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

const LETTER = 1;
const DIGIT = 2;
const JOINER = 3; // inside a word only: _ - '
const CLASSES = classes();

/** Reads a text once, front to back: time is linear in its length whatever it holds (T11). */
export function read(text: string): Reading {
  const lower = text.toLowerCase();
  // A few letters change length in lower case (İ); positions must agree, and such text has no English words anyway.
  const plain = lower.length === text.length ? lower : text;
  const reading = emptyReading(text.length);
  const seen = new Set<string>();
  const others = new Set<string>();
  let previous = '';
  // Whether the next word, and the one before, stand where a turn tells to do something.
  let told = true;
  let toldBefore = false;
  let at = 0;
  let lineStart = true;
  while (at < plain.length) {
    const code = plain.charCodeAt(at);
    const kind = code < 128 ? (CLASSES[code] ?? 0) : code === 0x2019 ? JOINER : LETTER;
    if (kind !== LETTER && kind !== DIGIT) {
      const sentences = reading.sentences;
      lineStart = countMark(reading, plain, at, code, lineStart);
      if (lineStart || reading.sentences > sentences || code === 58 || code === 44) told = true; // after : and , too
      at += 1;
      continue;
    }
    const start = at;
    let digits = 0;
    let joined = false;
    let foreign = false;
    for (; at < plain.length; at += 1) {
      const inner = plain.charCodeAt(at);
      const innerKind = inner < 128 ? (CLASSES[inner] ?? 0) : inner === 0x2019 ? JOINER : LETTER;
      if (innerKind === 0) break;
      if (innerKind === DIGIT) digits += 1;
      if (inner === 95) joined = true;
      if (inner > 127) foreign = true;
    }
    if (lineStart) countLineStart(reading, plain, start, at);
    lineStart = false;
    const length = at - start;
    // Scripts without spaces: some two characters a word.
    reading.words += foreign && length > 12 ? Math.ceil(length / 2) : 1;
    if (digits > 0 && digits >= length - 2) {
      reading.numbers += 1;
      previous = '';
      continue;
    }
    const word = plain.slice(start, at);
    if (reading.opening === '') reading.opening = word;
    if (joined || isCamel(text, start, at)) reading.identifiers += 1;
    if (length > 24) {
      previous = '';
    } else {
      const root = stem(word);
      if (others.size < ENOUGH && !LEXICON.get(root)?.some((kind) => HARDENING.has(kind))) others.add(root);
      note(reading, seen, root, told);
      if (told && (start < EDGE || start > plain.length - EDGE) && LEXICON.get(root)?.includes('compose')) reading.textWork = true;
      if (PAIR_STARTS.has(previous) && LEXICON.has(`${previous} ${root}`)) {
        note(reading, seen, `${previous} ${root}`, told || toldBefore);
        others.delete(previous);
        others.delete(root);
      }
      // n't: "isn't", "doesn’t"
      if (length > 3 && (word.endsWith("n't") || word.endsWith('n’t'))) note(reading, seen, 'not', told);
      previous = root;
    }
    toldBefore = told;
    told = BEFORE_TOLD.has(word);
  }
  reading.substance = others.size;
  return reading;
}

function note(reading: Reading, seen: Set<string>, key: string, told: boolean): void {
  const kinds = LEXICON.get(key);
  if (kinds === undefined || seen.has(key)) return;
  for (const kind of kinds) {
    if (!told && TOLD.has(kind)) continue;
    reading.kinds[kind] += 1;
    seen.add(key);
  }
}

function countMark(reading: Reading, text: string, at: number, code: number, lineStart: boolean): boolean {
  switch (code) {
    case 10: // newline
      return true;
    case 32: // space
    case 9:
    case 13:
      return lineStart;
    case 63: // ?
      reading.questionMarks += 1;
      reading.sentences += 1;
      return false;
    case 46: // .
    case 33: // !
      if (isBreak(text.charCodeAt(at + 1))) reading.sentences += 1;
      return false;
    case 44: // ,
      reading.commas += 1;
      return false;
    case 34: // "
    case 39: // ' outside of a word
      reading.quotes += 1;
      return false;
    case 42: // *
    case 45: // -
      if (lineStart && text.charCodeAt(at + 1) === 32) reading.items += 1;
      else if (code === 42) reading.operators += 1;
      return false;
    case 94: // ^
    case 43: // +
    case 92: // backslash
      reading.operators += 1;
      return false;
    case 61: // =
      reading.operators += 1;
      reading.symbols += 1;
      return false;
    case 123: // { } ; < > ` [ ]
    case 125:
    case 59:
    case 60:
    case 62:
    case 96:
    case 91:
    case 93:
      reading.symbols += 1;
      return false;
    default:
      return false;
  }
}

function countLineStart(reading: Reading, text: string, start: number, end: number): void {
  const after = text.charCodeAt(end);
  if (end - start > 2 || (after !== 46 && after !== 41) || text.charCodeAt(end + 1) !== 32) return;
  const first = text.charCodeAt(start);
  if (first >= 48 && first <= 57) reading.items += 1;
  else if (end - start === 1 && first >= 97 && first <= 106) reading.options += 1;
}

function isBreak(code: number): boolean {
  return Number.isNaN(code) || code === 32 || code === 10 || code === 13 || code === 34;
}

/** A capital inside a word after a small letter: mapController. */
function isCamel(text: string, start: number, end: number): boolean {
  for (let at = start + 1; at < end; at += 1) {
    const code = text.charCodeAt(at);
    if (code < 65 || code > 90) continue;
    const before = text.charCodeAt(at - 1);
    if (before >= 97 && before <= 122) return true;
  }
  return false;
}

function classes(): Uint8Array {
  const table = new Uint8Array(128);
  table.fill(LETTER, 65, 91);
  table.fill(LETTER, 97, 123);
  table.fill(DIGIT, 48, 58);
  for (const joiner of "_-'") table[joiner.charCodeAt(0)] = JOINER;
  return table;
}

function emptyReading(characters: number): Reading {
  const kinds = Object.fromEntries(WORD_KINDS.map((kind) => [kind, 0])) as Record<WordKind, number>; // every kind is a key
  return {
    words: 0, substance: 0, sentences: 0, numbers: 0, items: 0, options: 0, questionMarks: 0, identifiers: 0, symbols: 0,
    operators: 0, quotes: 0, commas: 0, characters, opening: '', textWork: false, kinds,
  };
}
