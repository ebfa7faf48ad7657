/** Pieces that are joined at once. */
const MOST_PIECES = 128;

/**
 * A text that comes in pieces and is asked for at its end. Added up with `+=`, a model's words would each stay an
 * object of several times their size.
 */
export class HeldText {
  readonly #joined: string[] = [];
  #pieces: string[] = [];

  add(piece: string): void {
    this.#pieces.push(piece);
    if (this.#pieces.length < MOST_PIECES) return;
    this.#joined.push(this.#pieces.join(''));
    this.#pieces = [];
  }

  toString(): string {
    return this.#joined.concat(this.#pieces).join('');
  }
}
