import { BEFORE_TOLD, HARDENING, WORD_KINDS, WORDS, type WordKind } from './words.ts';

/** What is known of a word or a pair of words. */
export interface Entry {
  kinds: WordKind[];
  /** Of a kind that needs other words to be about (T7). */
  hardening: boolean;
  startsPair: boolean;
  /** A verb after it is one told to do. */
  beforeTold: boolean;
}

// Compared as codes: the stem is taken of every word read.
const [D, E, G, S] = [100, 101, 103, 115];

/** Words cut back to what their endings share: "calculate", "calculates", "calculating". */
export function stem(word: string): string {
  let end = word.length;
  if (end > 3 && word.charCodeAt(end - 1) === S && word.charCodeAt(end - 2) !== S) end -= 1;
  const last = word.charCodeAt(end - 1);
  if (end > 5 && last === G && word.endsWith('ing', end)) end -= 3;
  else if (end > 4 && last === D && word.charCodeAt(end - 2) === E) end -= 2;
  else if (end > 4 && last === E) end -= 1;
  return end === word.length ? word : word.slice(0, end);
}

/** By stem, or two stems with a space between. One map, so that a word costs one look-up. */
export const LEXICON: ReadonlyMap<string, Entry> = buildLexicon();

function buildLexicon(): Map<string, Entry> {
  const lexicon = new Map<string, Entry>();
  const entryOf = (key: string): Entry => {
    const known = lexicon.get(key);
    if (known !== undefined) return known;
    const entry = { kinds: [], hardening: false, startsPair: false, beforeTold: false };
    lexicon.set(key, entry);
    return entry;
  };
  for (const kind of WORD_KINDS) {
    for (const phrase of WORDS[kind].split(' ')) {
      const stems = phrase.split('|').map(stem);
      const entry = entryOf(stems.join(' '));
      if (!entry.kinds.includes(kind)) entry.kinds.push(kind);
      if (HARDENING.has(kind)) entry.hardening = true;
      if (stems.length > 1) entryOf(stems[0] ?? '').startsPair = true;
    }
  }
  for (const word of BEFORE_TOLD.split(' ')) entryOf(stem(word)).beforeTold = true;
  return lexicon;
}
