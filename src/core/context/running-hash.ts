/** A hash of a text under a secret, or without one: short enough to be kept, long enough never to collide. */
export type Digest = (text: string) => string;

/** Characters that a text may have to be known as it is, and of each piece of one that is longer. */
const PIECE = 8_192;
/** White space of more characters than this at the end of a text is part of it: models that loop say nothing else. */
const MOST_SPACE = 1_024;
/** Characters in a row that normalisation might join; beyond it they are taken as they are. */
const MOST_JOINED = 65_536;

/**
 * A text as its lane knows it, told piece by piece however it is cut: itself, or in place of a long one a hash of its
 * pieces, each made with the one before. So no more than a piece is ever held.
 */
export class RunningHash {
  readonly #digest: Digest;
  #piece = '';
  #hash = '';
  #length = 0;

  constructor(digest: Digest) {
    this.#digest = digest;
  }

  add(text: string): void {
    this.#length += text.length;
    this.#piece += text;
    while (this.#piece.length > PIECE) {
      // Half a character would be none in UTF-8.
      const end = isHighSurrogate(this.#piece.charCodeAt(PIECE - 1)) ? PIECE - 1 : PIECE;
      this.#hash = this.#digest(`${this.#hash}\n${this.#piece.slice(0, end)}`);
      this.#piece = this.#piece.slice(end);
    }
  }

  /** Its length and itself, or its hash. */
  known(): string {
    const rest = this.#piece;
    return `${this.#length} ${this.#hash === '' ? rest : this.#digest(`${this.#hash}\n${rest}`)}`;
  }

  get length(): number {
    return this.#length;
  }
}

/** What was said, as its lane knows it: NFC, without the space at its end, told piece by piece however it is cut. */
export class RunningText {
  readonly #hash: RunningHash;
  /** What the next piece may still be joined with by normalisation. */
  #open = '';
  /** White space that may be the text's end. */
  #space = '';
  #spaceCounts = false;

  constructor(digest: Digest) {
    this.#hash = new RunningHash(digest);
  }

  add(text: string): void {
    const open = this.#open + text;
    let at = open.length - 1;
    while (at >= this.#open.length && !isApart(open.charCodeAt(at))) at -= 1;
    if (at < this.#open.length) at = open.length > MOST_JOINED ? open.length : 0;
    this.#open = open.slice(at);
    if (at > 0) this.#take(open.slice(0, at));
  }

  /** As {@link RunningHash.known}; '' where nothing was said. Nothing can be added after it. */
  known(): string {
    this.#take(this.#open);
    return this.#hash.length === 0 ? '' : this.#hash.known();
  }

  #take(text: string): void {
    const all = this.#space + text.normalize('NFC');
    const said = all.trimEnd();
    if (said !== '') this.#spaceCounts = false;
    this.#hash.add(said);
    this.#space = all.slice(said.length);
    this.#spaceCounts ||= this.#space.length > MOST_SPACE;
    if (!this.#spaceCounts) return;
    this.#hash.add(this.#space);
    this.#space = '';
  }
}

/** What a lane knows of a text that is there as a whole, and of which every character counts. */
export function knownText(text: string, digest: Digest): string {
  const hash = new RunningHash(digest);
  hash.add(text);
  return hash.known();
}

/**
 * Characters that no normalisation joins with what stands before them (Unicode: starters that never are the second of
 * a pair). Not all that there are: every text has some of these.
 */
const APART: readonly (readonly [from: number, to: number])[] = [
  [0x0000, 0x02ff], // Latin, digits, punctuation, white space
  [0x0370, 0x0482], // Greek, Cyrillic
  [0x2000, 0x20cf], // punctuation
  [0x2e80, 0x3029], // CJK punctuation
  [0x3030, 0x3098], // Hiragana
  [0x309b, 0xa66e], // Katakana, CJK
  [0xac00, 0xd7a3], // Hangul syllables
  [0xd83c, 0xd83e], // emoji: the first half
];

function isApart(code: number): boolean {
  return APART.some(([from, to]) => code >= from && code <= to);
}

function isHighSurrogate(code: number): boolean {
  return code >= 0xd800 && code <= 0xdbff;
}
