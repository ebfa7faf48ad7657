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

/** What an answer says, before any limit. */
export interface Content {
  text: string;
  calls: Call[];
  /** A model's own refusal. */
  refusal?: string;
  stop?: Stop;
  stopSequence?: string;
  /** Thinking tokens, where the script knows better than the model's habit. */
  thinking?: number;
}

/** A whole answer, after limits and stop sequences, on no wire yet. */
export interface Reply {
  text: string;
  calls: Call[];
  refusal: string | undefined;
  stop: Stop;
  stopSequence: string | undefined;
  thinkingTokens: number;
  /** Thinking included. */
  outputTokens: number;
}

/** Cuts content to what the request allows: stop sequences first, then tokens, thinking counted as the real ones do. */
export function replyTo(ask: Ask, content: Content): Reply {
  const limit = Math.max(0, Math.min(ask.maxTokens, ask.windowLeft));
  const lengthStop: Stop = ask.windowLeft < ask.maxTokens ? 'context_window' : 'length';
  // Half at most, so that a small limit leaves room for a word of answer.
  const habit = isSilentRefusal(ask, content) ? 0 : ask.thinkingTokens;
  const thinkingTokens = Math.min(content.thinking ?? habit, Math.floor(limit / 2));
  let left = limit - thinkingTokens;
  let stop: Stop = content.stop ?? (content.calls.length > 0 ? 'tool_calls' : 'end');
  let stopSequence = content.stopSequence;

  let text = content.text;
  let calls = content.calls;
  for (const sequence of ask.stop) {
    const at = text.indexOf(sequence);
    if (at < 0) continue;
    text = text.slice(0, at);
    stop = 'stop_sequence';
    stopSequence = sequence;
    calls = [];
  }

  const whole = countTokens(text, ask.tokenizer);
  if (whole > left) {
    text = firstTokens(text, left, ask.tokenizer);
    calls = [];
    stop = lengthStop;
  }
  left -= countTokens(text, ask.tokenizer);
  const kept: Call[] = [];
  for (const call of calls) {
    const cost = countTokens(call.name + call.arguments, ask.tokenizer);
    if (cost > left) {
      stop = lengthStop;
      break;
    }
    kept.push(call);
    left -= cost;
  }
  const refusal = content.refusal;
  if (refusal !== undefined) {
    // On Anthropic's wire it is an explanation beside the answer, which nobody pays for.
    if (ask.api !== 'anthropic') left -= countTokens(refusal, ask.tokenizer);
    stop = content.stop ?? 'refusal';
  }
  return {
    text,
    calls: kept,
    refusal,
    stop,
    stopSequence: stop === 'stop_sequence' ? stopSequence : undefined,
    thinkingTokens,
    outputTokens: limit - left,
  };
}

/** A refusal before anything was generated isn't billed for output (providers.md §3, Answers). */
function isSilentRefusal(ask: Ask, content: Content): boolean {
  return ask.api === 'anthropic' && content.refusal !== undefined && content.text === '';
}
