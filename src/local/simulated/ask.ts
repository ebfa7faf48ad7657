import { createHash } from 'node:crypto';
import { sortedJson } from './digest.ts';
import type { Tokenizer } from './tokens.ts';

/** The wire a request came over. */
export const APIS = [
  'anthropic',
  'openai-chat',
  'openai-responses',
  'openai-completions',
  'openai-embeddings',
  'openai-moderations',
  'openai-images',
  'openai-audio',
] as const;
export type Api = (typeof APIS)[number];

/** One message without its wire: what scripts are matched by and answers are made from. */
export interface Turn {
  role: 'user' | 'assistant' | 'tool';
  text: string;
  calls?: { name: string; arguments: string }[];
}

/** A tool on offer. */
export interface OfferedTool {
  name: string;
  description: string;
  schema: unknown;
  /** Takes free text instead of JSON (OpenAI's custom tools). */
  freeText?: boolean;
}

/** What a request asks for, read from any of the three wires. */
export interface Ask {
  api: Api;
  model: string;
  stream: boolean;
  /** Without system and developer messages. */
  turns: Turn[];
  /** Ids of the tool results the request ends with. */
  callIds: string[];
  tools: OfferedTool[];
  toolChoice: { type: 'auto' | 'none' | 'any' } | { type: 'tool'; name: string };
  format: { type: 'text' } | { type: 'json_object' } | { type: 'json_schema'; schema: unknown };
  /** Tokens of the answer, thinking included. */
  maxTokens: number;
  /** The answer may not reach past the window: what is left of it. */
  windowLeft: number;
  stop: string[];
  /** Thinking tokens this model would spend at this effort; 0 where it doesn't think. */
  thinkingTokens: number;
  tokenizer: Tokenizer;
  /** What to cite where citations are asked for, as the wire has it, and the words cited. */
  citation?: { text: string; citation: unknown } | undefined;
}

/** The text of the last message of the user himself, '' without one. */
export function lastUserText(ask: Ask): string {
  return ask.turns.findLast((turn) => turn.role === 'user')?.text ?? '';
}

/** SHA-256 (hex) of the last message's text, trimmed. */
export function lastMessageHash(turns: readonly Turn[]): string {
  return sha256(turns.at(-1)?.text.trim() ?? '');
}

/**
 * A name for one step of a conversation that survives translation between wires: SHA-256 (hex) over roles, trimmed
 * texts and calls (name, arguments with sorted keys). System messages, ids, thinking and empty messages don't count;
 * neighbours of one role count as one message.
 */
export function stepKey(turns: readonly Turn[]): string {
  const lines: { role: string; parts: string[] }[] = [];
  for (const turn of turns) {
    const parts = turn.text.trim() === '' ? [] : [turn.text.trim()];
    for (const call of turn.calls ?? []) parts.push(call.name, canonicalArguments(call.arguments));
    const last = lines.at(-1);
    if (last?.role === turn.role) last.parts.push(...parts);
    else if (parts.length > 0) lines.push({ role: turn.role, parts });
  }
  return sha256(JSON.stringify(lines.map((line) => [line.role, ...line.parts])));
}

function canonicalArguments(text: string): string {
  try {
    return sortedJson(JSON.parse(text));
  } catch {
    return text.trim();
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
