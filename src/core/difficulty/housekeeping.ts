import type { Conversation, Message } from '../conversation.ts';
import { textOf } from './ask.ts';

/** A call that a harness makes for itself: cheapest capable model, no session state (T9). */
export type Housekeeping = 'probe' | 'title' | 'compaction';

/** Claude Code asks for 1 token to test key and quota; others for up to 4. */
const PROBE_TOKENS = 4;

/** Where a harness's own prompt shows itself: at the start of a system prompt, at either end of a user message. */
const SYSTEM_START = 600;
const EDGE = 3_000;

/** The harnesses' own prompts, lower case. A user who asks for "a title" or "a summary" says none of these. */
const TITLE_SYSTEM = [
  'you are a title generator', // opencode
  'generate a concise, sentence-case title', // Claude Code
  'analyze if this message indicates a new conversation topic', // Claude Code
];
const TITLE_ASK = [
  'generate a concise, 3-5 word title', // Open WebUI
  '5-word-or-less title for the conversation', // LibreChat
  'write a 5-10 word title the following conversation',
  'please write a 5-10 word title', // Claude Code
  'generate a concise title for this conversation',
  'generate a short title for this conversation',
  'generate a title for this conversation',
  'generate a concise title for this chat',
  'create a concise title for this conversation',
  'summarize this coding conversation in under 50 characters',
];
const COMPACTION_SYSTEM = [
  'you are a helpful ai assistant tasked with summarizing conversations', // Claude Code
  'anchored context summarization', // opencode
  'context checkpoint compaction', // Codex
  'you are the component that summarizes internal chat history', // Gemini CLI
];
const COMPACTION_ASK = [
  'your task is to create a detailed summary of the conversation so far', // Claude Code, opencode
  'your task is to create a comprehensive detailed summary of the conversation', // Cline
  'urgent task is to create a comprehensive detailed summary', // Cline
  'context checkpoint compaction', // Codex
  'structured context checkpoint summary', // Pi
  'provide a detailed prompt for continuing our conversation above', // opencode
];

/** Which housekeeping a request is, by the prompts of well-known harnesses; null for a step of real work. */
export function housekeepingOf(conversation: Conversation): Housekeeping | null {
  const { maxTokens } = conversation.output;
  if (maxTokens !== undefined && maxTokens <= PROBE_TOKENS) return 'probe';
  const last = conversation.messages.at(-1);
  if (last?.role !== 'user') return null;
  const first = conversation.messages[0];
  const system = first && isInstruction(first) ? textOf(first).slice(0, SYSTEM_START).toLowerCase() : '';
  const ask = edges(last);
  if (includesAny(ask, COMPACTION_ASK) || includesAny(system, COMPACTION_SYSTEM)) return 'compaction';
  if (includesAny(ask, TITLE_ASK) || includesAny(system, TITLE_SYSTEM)) return 'title';
  return null;
}

function isInstruction(message: Message): boolean {
  return message.role === 'system' || message.role === 'developer';
}

function edges(message: Message): string {
  const text = textOf(message);
  const read = text.length > 2 * EDGE ? `${text.slice(0, EDGE)}\n${text.slice(-EDGE)}` : text;
  return read.toLowerCase();
}

function includesAny(text: string, phrases: readonly string[]): boolean {
  return phrases.some((phrase) => text.includes(phrase));
}
