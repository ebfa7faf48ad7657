import type { MeteredUsage } from '../../accounting/metered-usage.ts';
import { isObject, type JsonObject } from '../provider-json.ts';
import { readStatelessUsage } from './usage.ts';

/** As much of either end as is looked at; what is between, vectors and pictures, may be megabytes. */
const END_BYTES = 16_384;

/** What an answer says of itself. */
export interface AnswerFacts {
  /** As the provider named it in the response (T41). */
  model: string | null;
  usage: MeteredUsage | null;
}

/**
 * Looks at the first and last bytes of a JSON answer that passes through: servers write `model` and `usage` there. So
 * nothing is parsed, and only the last bytes wait, always in the same place.
 */
export class AnswerEnds {
  readonly #head = new Uint8Array(END_BYTES);
  #headLength = 0;
  /** Bytes that went on the last time, then those that wait. */
  #bytes = new Uint8Array(2 * END_BYTES);
  #start = 0;
  #end = 0;

  /** @returns what of the answer may go on, which is there until the next call: all but its last bytes so far */
  push(chunk: Uint8Array): Uint8Array {
    const first = chunk.subarray(0, END_BYTES - this.#headLength);
    this.#head.set(first, this.#headLength);
    this.#headLength += first.length;
    const waiting = this.#tail.length;
    const held = this.#bytes;
    if (waiting + chunk.length > held.length) this.#bytes = new Uint8Array(waiting + chunk.length);
    this.#bytes.set(held.subarray(this.#start, this.#end));
    this.#bytes.set(chunk, waiting);
    this.#end = waiting + chunk.length;
    this.#start = Math.max(0, this.#end - END_BYTES);
    return this.#bytes.subarray(0, this.#start);
  }

  get #tail(): Uint8Array {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  facts(): AnswerFacts {
    return factsIn([textOf(this.#tail), textOf(this.#head.subarray(0, this.#headLength))]);
  }

  /** The bytes that waited, with one member more where they end an object. */
  close(name: string, value: unknown): Uint8Array {
    const tail = this.#tail;
    const brace = tail.lastIndexOf(CLOSE_BRACE);
    const isEnd = brace !== -1 && tail.subarray(brace + 1).every(isSpace);
    if (!isEnd) return tail;
    const before = tail.subarray(0, brace);
    const last = before.findLast((byte) => !isSpace(byte));
    // An empty object, or one whose members are all further ahead: those end in something else.
    const comma = last === OPEN_BRACE ? '' : ',';
    const member = `${comma}${JSON.stringify(name)}:${JSON.stringify(value)}`;
    return joined(joined(before, bytesOf(member)), tail.subarray(brace));
  }
}

/** Model and usage in parts of a JSON text, the likeliest first. */
export function factsIn(texts: readonly string[]): AnswerFacts {
  const usage = texts.map((text) => memberIn(text, 'usage')).find((found) => found !== undefined);
  // Text for a picture's file is billed besides, and the book has no price for it.
  const isPartial = texts.some((text) => memberIn(text, 'svg_usage') !== undefined);
  return {
    model: texts.map(modelIn).find((found) => found !== null) ?? null,
    usage: usage && !isPartial ? readStatelessUsage(usage) : null,
  };
}

/**
 * The last object under a name in part of a JSON text. Inside a string its quotes would be escaped, so that no content
 * can pass for it.
 */
function memberIn(text: string, name: string): JsonObject | undefined {
  const all = [...text.matchAll(new RegExp(`"${name}"\\s*:\\s*(?=\\{)`, 'g'))];
  for (const match of all.reverse()) {
    const start = match.index + match[0].length;
    // A usage has no braces in its texts.
    let depth = 0;
    for (let at = start; at < text.length; at += 1) {
      if (text[at] === '{') depth += 1;
      else if (text[at] === '}') depth -= 1;
      if (depth > 0) continue;
      const value = parsed(text.slice(start, at + 1));
      if (isObject(value)) return value;
      break;
    }
  }
  return undefined;
}

function modelIn(text: string): string | null {
  return /"model"\s*:\s*"([^"\\]+)"/.exec(text)?.[1] ?? null;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

/** A character a byte: what is looked for is ASCII. */
function textOf(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

/** JSON in ASCII. */
function bytesOf(json: string): Uint8Array {
  const ascii = json.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Uint8Array.from(ascii, (character) => character.charCodeAt(0));
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
