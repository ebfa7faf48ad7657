import type { AnswerEvent } from '../answer.ts';
import type { AssistantBlock } from '../conversation.ts';
import { type Digest, knownText, RunningHash, RunningText } from './running-hash.ts';
import { sortedJson } from './sorted-json.ts';

/**
 * Characters of arguments that an answer's calls may have together to be known as JSON, whatever its spaces and the
 * order of its members. Those of the call that goes beyond it, and of all after it, are known as they were written.
 */
const SORTED_CHARACTERS = 131_072;

/**
 * An answer as its lane knows it, told block by block or as it is streamed: of one of megabytes hashes are kept, and
 * {@link SORTED_CHARACTERS}. Its text comes first, since some wires have one place for text and one for calls.
 */
export class RunningAnswer {
  readonly #digest: Digest;
  readonly #said: RunningText;
  readonly #others: (RunningCall | string)[] = [];
  /** By the stream's index. */
  readonly #calls = new Map<number, RunningCall>();
  #characters = 0;

  constructor(digest: Digest) {
    this.#digest = digest;
    this.#said = new RunningText(digest);
  }

  add(block: AssistantBlock): void {
    if (block.type === 'text' || block.type === 'refusal') this.#said.add(block.text);
    else if (block.type === 'tool_call') this.#say(this.#begin(block), block.arguments);
    else if (block.type === 'foreign') {
      const { kind, raw } = block;
      this.#others.push(`${kind} ${knownText(sortedJson(JSON.stringify(raw)), this.#digest)}\n`);
    }
  }

  take(event: AnswerEvent): void {
    if (event.type === 'text' || event.type === 'refusal') this.#said.add(event.text);
    else if (event.type === 'block') this.add(event.block);
    else if (event.type === 'tool_call') this.#calls.set(event.index, this.#begin(event));
    else if (event.type === 'tool_arguments') {
      const call = this.#calls.get(event.index);
      if (call) this.#say(call, event.delta);
    }
  }

  /** The same for every way in which a client sends the answer again. Nothing can be added after it. */
  known(): string {
    const said = this.#said.known();
    const others = this.#others.map((one) => (typeof one === 'string' ? one : this.#callText(one)));
    return `${said === '' ? '' : `text ${said}\n`}${others.join('')}`;
  }

  #begin({ name, custom }: { name: string; custom?: true }): RunningCall {
    const isJson = custom !== true;
    const call = { name, isJson, written: new RunningHash(this.#digest), json: isJson ? '' : null };
    this.#others.push(call);
    return call;
  }

  #say(call: RunningCall, text: string): void {
    call.written.add(text);
    if (!call.isJson) return;
    if (call.json !== null) call.json += text;
    this.#characters += text.length;
    if (this.#characters > SORTED_CHARACTERS) this.#keepFirst();
  }

  /** Lets go of the arguments beyond the limit, counted from the first call: an answer that is there whole does too. */
  #keepFirst(): void {
    let characters = 0;
    for (const call of this.#others) {
      if (typeof call === 'string' || !call.isJson) continue;
      characters += call.written.length;
      if (characters > SORTED_CHARACTERS) call.json = null;
    }
  }

  #callText({ name, written, json }: RunningCall): string {
    return `call ${name} ${json === null ? written.known() : knownText(sortedJson(json), this.#digest)}\n`;
  }
}

/** As {@link RunningAnswer.known}, of one that is there whole too. */
export function knownAnswer(answer: readonly AssistantBlock[] | RunningAnswer, digest: Digest): string {
  if (answer instanceof RunningAnswer) return answer.known();
  const whole = new RunningAnswer(digest);
  for (const block of answer) whole.add(block);
  return whole.known();
}

interface RunningCall {
  name: string;
  /** Not of a custom tool, which takes free text. */
  isJson: boolean;
  /** The arguments as they were written. */
  written: RunningHash;
  /** The same, to be sorted; null where they can't be, or are too many. */
  json: string | null;
}
