/** Looks for the end of a JSON object, array or string that comes in pieces, of which nothing is kept. */
export class JsonEnd {
  #depth = 0;
  #inString = false;
  #escaped = false;
  #reached = false;

  /** Whether nothing but white space may follow. Of what is no JSON, by its brackets. */
  get isReached(): boolean {
    return this.#reached;
  }

  read(piece: string): void {
    for (let at = 0; at < piece.length; at += 1) {
      const letter = piece.charCodeAt(at);
      if (this.#inString) {
        if (this.#escaped) this.#escaped = false;
        else if (letter === BACKSLASH) this.#escaped = true;
        else if (letter === QUOTE) this.#inString = false;
      } else if (letter === QUOTE) this.#inString = true;
      else if (letter === OPEN_BRACE || letter === OPEN_BRACKET) this.#depth += 1;
      else if (letter === CLOSE_BRACE || letter === CLOSE_BRACKET) this.#depth -= 1;
      else continue;
      this.#reached = this.#depth === 0 && !this.#inString;
    }
  }
}

const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
