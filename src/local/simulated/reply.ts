import type { Ask } from './ask.ts';
import { countTokens, firstTokens } from './tokens.ts';

/** Why an answer ends; each wire has its own word for it. */
export const STOPS = [
  'end',
  'length',
  'stop_sequence',
  'tool_calls',
  'refusal',
  'content_filter',
  'context_window',
  'pause',
] as const;
export type Stop = (typeof STOPS)[number];

/** A call the answer makes. `arguments` is JSON text, or free text for a custom tool. */
export interface Call {
  name: string;
  arguments: string;
  id?: string;
}

/** What an answer is made of, in the order the model said it. */
export type Part =
  | { type: 'thinking'; tokens: number; text?: string; redacted?: boolean }
  | {
      type: 'text';
      text: string;
      /** As the wire has them: Anthropic's `citations`, OpenAI's `annotations`. */
      citations?: unknown[];
      /** Characters of one event of a stream; without it, a word. */
      eventCharacters?: number;
      /** Goes out whole, however few tokens are left. */
      uncut?: boolean;
    }
  | ({ type: 'call' } & Call)
  /** A block or item of one wire as it is: a hosted tool's, or one no gateway has heard of. */
  | { type: 'block'; block: Record<string, unknown> };
export type TextPart = Extract<Part, { type: 'text' }>;

/** What an answer says, before any limit: a text and calls, or parts in an order of their own. */
export interface Content {
  text?: string;
  calls?: Call[];
  parts?: Part[];
  /** A model's own refusal. */
  refusal?: string;
  /** Anthropic's `stop_details.category`. */
  refusalCategory?: string;
  stop?: Stop;
  stopSequence?: string;
  /** Thinking tokens before all else, where the script knows better than the model's habit. */
  thinking?: number;
  /** Fields beside those of the wire. */
  extra?: Record<string, unknown>;
}

/** A whole answer, after limits and stop sequences, on no wire yet. */
export interface Reply {
  parts: Part[];
  refusal: string | undefined;
  refusalCategory: string | undefined;
  stop: Stop;
  stopSequence: string | undefined;
  thinkingTokens: number;
  /** Thinking included. */
  outputTokens: number;
  extra: Record<string, unknown>;
}

function partsOf({ text = '', calls = [], parts }: Content): Part[] {
  if (parts !== undefined) return parts;
  const said: Part[] = text === '' ? [] : [{ type: 'text', text }];
  return [...said, ...calls.map((call): Part => ({ type: 'call', ...call }))];
}

/** All an answer says, without what it thinks. */
export function textOf({ parts }: Reply): string {
  return parts.map((part) => (part.type === 'text' ? part.text : '')).join('');
}

/** The calls an answer makes. */
export function callsOf({ parts }: { parts: readonly Part[] }): Call[] {
  return parts.flatMap((part) => (part.type === 'call' ? [part] : []));
}

/** Cuts content to what the request allows: stop sequences first, then tokens, thinking counted as the real ones do. */
export function replyTo(ask: Ask, content: Content): Reply {
  const limit = Math.max(0, Math.min(ask.maxTokens, ask.windowLeft));
  const lengthStop: Stop = ask.windowLeft < ask.maxTokens ? 'context_window' : 'length';
  const said = partsOf(content);
  let left = limit;
  let stop: Stop = content.stop ?? (callsOf({ parts: said }).length > 0 ? 'tool_calls' : 'end');
  let stopSequence = content.stopSequence;
  const parts: Part[] = [];
  for (const part of withThinking(ask, content, said, limit)) {
    if (part.type === 'block') parts.push(part);
    else if (part.type === 'thinking') {
      const tokens = Math.min(part.tokens, left);
      left -= tokens;
      parts.push({ ...part, tokens });
    } else if (part.type === 'call') {
      const cost = countTokens(part.name + part.arguments, ask.tokenizer);
      if (cost > left) {
        stop = lengthStop;
        break;
      }
      left -= cost;
      parts.push(part);
    } else {
      const { text, sequence } = beforeStop(part.text, ask.stop);
      const cost = countTokens(text, ask.tokenizer);
      const isCut = cost > left && part.uncut !== true;
      const kept = isCut ? firstTokens(text, left, ask.tokenizer) : text;
      left -= Math.min(left, isCut ? countTokens(kept, ask.tokenizer) : cost);
      if (kept !== '') parts.push({ ...part, text: kept });
      if (isCut) stop = lengthStop;
      else if (sequence !== undefined) {
        stop = 'stop_sequence';
        stopSequence = sequence;
      }
      if (isCut || sequence !== undefined) break;
    }
  }
  const { refusal } = content;
  if (refusal !== undefined) {
    // On Anthropic's wire it is an explanation beside the answer, which nobody pays for.
    if (ask.api !== 'anthropic') left -= countTokens(refusal, ask.tokenizer);
    stop = content.stop ?? 'refusal';
  }
  return {
    parts,
    refusal,
    refusalCategory: content.refusalCategory,
    stop,
    stopSequence: stop === 'stop_sequence' ? stopSequence : undefined,
    thinkingTokens: parts.reduce((sum, part) => sum + (part.type === 'thinking' ? part.tokens : 0), 0),
    outputTokens: limit - left,
    extra: content.extra ?? {},
  };
}

function withThinking(ask: Ask, content: Content, said: Part[], limit: number): Part[] {
  // A refusal before anything was generated isn't billed for output (providers.md §3, Answers).
  const isSilent = ask.api === 'anthropic' && content.refusal !== undefined && said.length === 0;
  const habit = isSilent ? 0 : ask.thinkingTokens;
  // Half at most, so that a small limit leaves room for a word of answer.
  const tokens = Math.min(content.thinking ?? habit, Math.floor(limit / 2));
  return tokens > 0 ? [{ type: 'thinking', tokens }, ...said] : said;
}

/** Text up to a stop sequence, the first of them that stands in it. */
function beforeStop(text: string, stops: readonly string[]): { text: string; sequence?: string } {
  const sequence = stops.find((one) => text.includes(one));
  return sequence === undefined ? { text } : { text: text.slice(0, text.indexOf(sequence)), sequence };
}
