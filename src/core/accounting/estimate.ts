import type { Block, Conversation, DocumentBlock, ImageBlock, Message } from '../conversation.ts';
import type { CatalogModel } from '../routing/catalog-model.ts';
import { tokenFactor } from './tokenizers.ts';

/** Input tokens of a conversation, and how many of them stand before its last answer. */
export interface InputSplit {
  total: number;
  /** Tools, system and messages before the last assistant message: what the request before this one sent. */
  beforeLastAssistant: number;
}

/** What of a conversation costs tokens on any model: measured once, then counted for each candidate. */
export interface InputSize {
  total: Size;
  beforeLastAssistant: Size;
  /** What stands before each of its levels, as a prompt cache sees it. */
  before: Record<LaterLevel, Size>;
  /** Blocks of its messages: what a prompt cache looks back over. */
  blocks: number;
  /** Messages in which the user speaks. */
  asks: number;
}

/** Levels of a prompt after its tools (cache-rules.ts): the system prompt, the messages, what followed the last ask. */
export type LaterLevel = 'system' | 'messages' | 'turn';

interface Size {
  /** Tokens of text on the reference tokenizer. */
  text: number;
  images: number;
  smallImages: number;
}

// Tokens around each message, and each tool's declaration, on any wire.
const PER_MESSAGE = 4;
const PER_TOOL = 8;
const NOTHING: Size = { text: 0, images: 0, smallImages: 0 };

/** Measures a conversation in one pass over its text. */
export function measureInput(conversation: Conversation): InputSize {
  return measureGrowth(conversation).first(conversation.messages.length);
}

/** A conversation at every length it had, measured in one pass over its text: all requests of a trace. */
export interface InputGrowth {
  /** Its first so many messages. */
  first(count: number): InputSize;
  /** Its first so many messages, without those from index `from` up to and not including `to`. */
  without(from: number, to: number, count: number): InputSize;
}

/** {@link measureInput} of every prefix of a conversation. */
export function measureGrowth(conversation: Conversation): InputGrowth {
  const { messages } = conversation;
  const size = measureTools(conversation);
  const nothing: Measured = { size: NOTHING, blocks: 0, answer: -1, ask: -1, asks: 0 };
  const start: Measured = { ...nothing, size: { ...size } };
  const at = [start];
  let last = start;
  let answer = -1;
  messages.forEach((message, index) => {
    addMessage(size, message);
    const isAsk = message.role === 'user';
    last = {
      ...{ size: { ...size }, blocks: last.blocks + message.content.length, answer },
      ...{ ask: isAsk ? index : last.ask, asks: last.asks + (isAsk ? 1 : 0) },
    };
    at.push(last);
    if (message.role === 'assistant') answer = index;
  });
  const lead = leadingSystem(messages);
  const measured = (count: number) => at[count] ?? nothing;
  const without = (from: number, to: number, count: number): InputSize => {
    const [head, end, all] = [measured(from), measured(to), measured(count)];
    const kept = (one: Size) => plus(head.size, one, end.size);
    const before = first(from).before;
    return {
      total: kept(all.size),
      beforeLastAssistant: all.answer < to ? nothing.size : kept(measured(all.answer).size),
      before: all.ask < to ? before : { ...before, turn: kept(measured(all.ask + 1).size) },
      ...{ blocks: head.blocks + all.blocks - end.blocks, asks: head.asks + all.asks - end.asks },
    };
  };
  const first = (count: number): InputSize => {
    const { size: total, answer: answered, ask, blocks, asks } = measured(count);
    const system = start.size;
    const head = measured(Math.min(lead, count)).size;
    return {
      total,
      beforeLastAssistant: answered === -1 ? nothing.size : measured(answered).size,
      before: { system, messages: head, turn: ask === -1 ? head : measured(ask + 1).size },
      ...{ blocks, asks },
    };
  };
  return { first, without };
}

/** A conversation's first messages. */
interface Measured {
  size: Size;
  blocks: number;
  /** Index of the last answer before its last message. */
  answer: number;
  /** Index of the last message in which the user speaks, and how many there are. */
  ask: number;
  asks: number;
}

/** How many messages of the system or a developer stand before all others. */
export function leadingSystem(messages: readonly Message[]): number {
  const start = messages.findIndex(({ role }) => role !== 'system' && role !== 'developer');
  return start === -1 ? messages.length : start;
}

/** `a` + (`b` − `c`) */
function plus(a: Size, b: Size, c: Size): Size {
  return {
    text: a.text + (b.text - c.text),
    images: a.images + (b.images - c.images),
    smallImages: a.smallImages + (b.smallImages - c.smallImages),
  };
}

function measureTools({ tools }: Conversation): Size {
  const size: Size = { ...NOTHING };
  for (const tool of tools) {
    const schema = tool.parameters === undefined ? '' : JSON.stringify(tool.parameters);
    size.text += PER_TOOL + textTokens(tool.name) + textTokens(tool.description ?? '') + textTokens(schema);
  }
  return size;
}

function addMessage(size: Size, message: Message): void {
  size.text += PER_MESSAGE;
  for (const block of message.content) addBlock(size, block);
}

/** Where a prompt's levels begin, in tokens of a model. */
export function levelStarts(model: CatalogModel, { before }: InputSize): Record<LaterLevel, number> {
  return {
    system: count(model, before.system),
    messages: count(model, before.messages),
    turn: count(model, before.turn),
  };
}

/** The measured conversation in tokens of a model. */
export function tokensOn(model: CatalogModel, size: InputSize): InputSplit {
  return { total: count(model, size.total), beforeLastAssistant: count(model, size.beforeLastAssistant) };
}

/**
 * Input tokens of a conversation on a model, before any answer tells: characters by script, images by the
 * providers' rules of thumb. Within about 20 % on prose and code; what it is used for is marked `estimated`.
 */
export function estimateTokens(conversation: Conversation, model: CatalogModel): InputSplit {
  return tokensOn(model, measureInput(conversation));
}

/** Tokens of a text on a model, e.g. of an answer whose provider reported no usage. */
export function estimateText(text: string, model: CatalogModel): number {
  return tokensOfSize(textTokens(text), model);
}

/** Tokens on a model of text that {@link textTokens} has measured, perhaps piece by piece. */
export function tokensOfSize(size: number, model: CatalogModel): number {
  return Math.ceil(size * tokenFactor(model));
}

/** An observed input total, split as the estimate is. */
export function splitObserved(observedTotal: number, estimate: InputSplit): InputSplit {
  const share = estimate.total === 0 ? 0 : estimate.beforeLastAssistant / estimate.total;
  return { total: observedTotal, beforeLastAssistant: Math.floor(observedTotal * share) };
}

function addBlock(size: Size, block: Block): void {
  switch (block.type) {
    case 'text':
    case 'refusal':
      size.text += textTokens(block.text);
      return;
    case 'tool_call':
      size.text += PER_MESSAGE + textTokens(block.name) + textTokens(block.arguments);
      return;
    case 'tool_result':
      size.text += PER_MESSAGE;
      for (const part of block.content) addBlock(size, part);
      return;
    case 'image':
      addImage(size, block);
      return;
    case 'document':
      size.text += documentTokens(block);
      return;
    // Its signature or cipher text is no input; what it says may be (billed where the model keeps it).
    case 'thinking':
      size.text += textTokens(typeof block.raw.thinking === 'string' ? block.raw.thinking : '');
      return;
    case 'foreign':
      size.text += textTokens(JSON.stringify(block.raw));
  }
}

/** Tokens of a page of a PDF, its text and its picture (Anthropic: 1,500–3,000 of text, and as an image besides). */
const PER_PAGE = 3_000;
/** Bytes of a page in documents of text and figures. */
const PAGE_BYTES = 60_000;

function documentTokens({ source, title, context }: DocumentBlock): number {
  const said = PER_MESSAGE + textTokens(title ?? '') + textTokens(context ?? '');
  if (source.kind === 'text') return said + textTokens(source.text);
  // The gateway opens no documents, and fetches none (T60).
  const bytes = source.kind === 'base64' ? (source.data.length * 3) / 4 : PAGE_BYTES;
  return said + PER_PAGE * Math.ceil(bytes / PAGE_BYTES);
}

function addImage(size: Size, image: ImageBlock): void {
  if (image.detail === 'low') size.smallImages += 1;
  else size.images += 1;
}

function count(model: CatalogModel, size: Size): number {
  // Anthropic: width × height / 750, at most some 1,600 whatever `detail` says. OpenAI: 85 at detail low, else
  // 765 to 1,536 by model and size. (Both providers' vision guides; the gateway does not open images.)
  const [large, small] = model.kind === 'anthropic' ? [1_500, 1_500] : [1_100, 85];
  return Math.ceil(size.text * tokenFactor(model)) + size.images * large + size.smallImages * small;
}

const BEYOND_LATIN = /[\u0370-\uffff]/;

/** Characters a token, by script, on tokenizers of 2024-26: Latin 4, other alphabets 2.5, the rest 1.3. */
export function textTokens(text: string): number {
  if (!BEYOND_LATIN.test(text)) return text.length / 4;
  let latin = 0;
  let alphabets = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x0370) latin += 1;
    // Greek, Cyrillic, Hebrew, Arabic, Indic; from 0x2000 on symbols, from 0x2E80 CJK, Hangul, emoji.
    else if (unit < 0x2000) alphabets += 1;
  }
  return latin / 4 + alphabets / 2.5 + (text.length - latin - alphabets) / 1.3;
}
