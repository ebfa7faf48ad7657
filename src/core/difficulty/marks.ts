/** What a text's punctuation and layout count up to. */
export interface Marks {
  sentences: number;
  questionMarks: number;
  commas: number;
  /** Lines that begin as list items do. */
  items: number;
  /** Lines that begin as the options of a multiple-choice question do: "A. ". */
  options: number;
  /** Characters that code is dense in: braces, brackets, semicolons, backticks, `=`, `<`, `>`. */
  symbols: number;
  /** Characters of formulas: ^ + * = and the backslash. */
  operators: number;
}

/** What a character is to a word. */
export const SEPARATOR = 0;
export const LETTER = 1;
export const DIGIT = 2;
/** Inside a word only: _ - ' */
export const JOINER = 3;

const ASCII = asciiClasses();

/** Beyond ASCII all is letters but Latin-1 and general punctuation and that of Chinese and Japanese. */
export function classOf(code: number): number {
  if (code < 128) return ASCII[code] ?? SEPARATOR;
  if (code < 0xc0 || (code >= 0x3000 && code < 0x3040) || (code >= 0xff00 && code < 0xff10)) return SEPARATOR;
  if (code < 0x2000 || code > 0x206f) return LETTER;
  return code === 0x2019 ? JOINER : SEPARATOR; // ’
}

function asciiClasses(): Uint8Array {
  const table = new Uint8Array(128);
  table.fill(LETTER, 65, 91);
  table.fill(LETTER, 97, 123);
  table.fill(DIGIT, 48, 58);
  for (const joiner of "_-'") table[joiner.charCodeAt(0)] = JOINER;
  return table;
}

/** Counts one character that belongs to no word. `after` is the next one, NaN at the end of the text. */
export function countMark(marks: Marks, code: number, after: number, lineStart: boolean): void {
  switch (code) {
    case 63: // ?
      marks.questionMarks += 1;
      marks.sentences += 1;
      break;
    case 33: // !
    case 46: // .
      if (Number.isNaN(after) || after <= 32 || after === 34) marks.sentences += 1;
      break;
    case 44: // ,
      marks.commas += 1;
      break;
    case 42: // *
    case 45: // -
      if (lineStart && after === 32) marks.items += 1;
      else if (code === 42) marks.operators += 1;
      break;
    case 43: // + \ ^
    case 92:
    case 94:
      marks.operators += 1;
      break;
    case 61: // =
      marks.operators += 1;
      marks.symbols += 1;
      break;
    case 59: // ; < > [ ] ` { }
    case 60:
    case 62:
    case 91:
    case 93:
    case 96:
    case 123:
    case 125:
      marks.symbols += 1;
  }
}

/** Counts the first word of a line, which stands from `start` to `end`: "1. ", "a) ", "B. ". */
export function countLineStart(marks: Marks, text: string, start: number, end: number): void {
  const after = text.charCodeAt(end);
  if (end - start > 2 || (after !== 46 && after !== 41) || text.charCodeAt(end + 1) !== 32) return;
  const first = text.charCodeAt(start);
  if (classOf(first) === DIGIT) marks.items += 1;
  else if (end - start === 1 && first >= 97 && first <= 106) marks.options += 1; // a to j
}
