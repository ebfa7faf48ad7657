import { valueText } from '../json-scan.ts';
import { type Edits, spliceMembers } from '../json-splice.ts';
import type { Wire } from '../routing/catalog.ts';
import type { AnswerRecorder } from './answer-recorder.ts';
import { isObject } from './provider-json.ts';

/** Where a wire's bodies hold a conversation, for clients that send only what is new of it. */
export interface HistoryForm {
  /** The member that lists the messages, or items. */
  list: 'messages' | 'input';
  /** What stands before the conversation in members of its own: system prompt and tools. */
  settings: readonly string[];
  /** System and developer messages that lead the list are settings too. */
  leads: boolean;
  /** Members that name a conversation kept elsewhere: it would have two beginnings. */
  rivals: readonly string[];
  /** The session that the body itself names. */
  sessionIn?(body: unknown): string | undefined;
  /** What the client was answered, in the shape in which it would send it again. */
  recordAnswer(): AnswerRecorder;
}

/** Messages, or items, as they stand in a JSON list, without its brackets. */
export interface Texts {
  text: string;
  count: number;
}

export const NO_TEXTS: Texts = { text: '', count: 0 };

/** System prompt and tools as JSON texts; what is absent was left out. */
export interface Head {
  /** The system and developer messages that lead the list. */
  lead?: string | undefined;
  settings: Record<string, string>;
}

/** A request apart: its head, and all it says besides. */
export interface Sent {
  head: Head;
  messages: Texts;
}

/** One step of a history: what its request brought that was new, and the answer. */
export interface HistoryEntry {
  /** The request that made it. */
  id: string;
  wire: Wire;
  /** The entry it goes on from; null: it is the first. */
  after: number | null;
  /** Where it is the first: what was said before, in entries that are no longer there. */
  before?: Texts | undefined;
  /** What of the head it changed. */
  head: Head;
  sent: Texts;
  answer: Texts;
}

/** All that was said so far. */
export interface Story {
  head: Head;
  said: Texts;
}

export function takeApart({ list, settings, leads }: HistoryForm, rawBody: string, body: unknown): Sent {
  const brought = isObject(body) ? settings.filter((name) => body[name] != null) : [];
  const head: Head = {
    settings: Object.fromEntries(brought.map((name) => [name, valueText(rawBody, [name]) ?? 'null'])),
  };
  const items: unknown = isObject(body) ? body[list] : undefined;
  if (!Array.isArray(items)) return { head, messages: textOf(valueText(rawBody, [list])) };
  const rest = items.findIndex((item) => !leads || !isLead(item));
  const leading = rest === -1 ? items.length : rest;
  if (leading === 0) return { head, messages: { text: inside(rawBody, list), count: items.length } };
  const places = Array.from({ length: leading }, (_, index) => index);
  head.lead = places.map((index) => valueText(rawBody, [list, index])).join(',');
  const without: Edits = Object.fromEntries(places.map((index) => [index, undefined]));
  return {
    head,
    messages: {
      text: inside(spliceMembers(rawBody, { [list]: without }), list),
      count: items.length - leading,
    },
  };
}

/** Joins what entries hold, oldest first. Of the head counts what was brought last. */
export function tellStory(entries: readonly HistoryEntry[]): Story {
  let lead: string | undefined;
  const settings: Record<string, string> = {};
  const parts: Texts[] = [];
  for (const { before = NO_TEXTS, head, sent, answer } of entries) {
    lead = head.lead ?? lead;
    Object.assign(settings, head.settings);
    parts.push(before, sent, answer);
  }
  return { head: { ...(lead === undefined ? {} : { lead }), settings }, said: joinTexts(parts) };
}

/**
 * The body with the story before what it sends. What it brings of the head wins; what it leaves out is as it last was,
 * since a conversation that has called tools is refused without them, and caches begin with them.
 */
export function goOn(form: HistoryForm, rawBody: string, story: Story, { head, messages }: Sent): string {
  const missing = Object.entries(story.head.settings).filter(([name]) => head.settings[name] === undefined);
  const isLeadMissing = head.lead === undefined && story.head.lead !== undefined;
  // The first step of a history goes as it came.
  if (story.said.count === 0 && missing.length === 0 && !isLeadMissing) return rawBody;
  const lead = { text: head.lead ?? story.head.lead ?? '', count: 0 };
  const { text } = joinTexts([lead, story.said, messages]);
  return spliceMembers(rawBody, { [form.list]: `[${text}]`, ...Object.fromEntries(missing) });
}

/** What of a head is not in the story already. */
export function newIn({ lead, settings }: Head, story: Story): Head {
  const changed = Object.entries(settings).filter(([name, text]) => story.head.settings[name] !== text);
  return {
    ...(lead === undefined || lead === story.head.lead ? {} : { lead }),
    settings: Object.fromEntries(changed),
  };
}

/**
 * Messages without their `cache_control`: it says where *this* request is to be cached. Of all the steps together there
 * would soon be more than the four that Anthropic takes (T20), and it looks back from the newest for what the others
 * wrote. (OpenAI's breakpoints stay: it reads only where there still is one.)
 */
export function withoutMarkers({ text, count }: Texts): Texts {
  if (!text.includes('"cache_control"')) return { text, count };
  const list = `{"list":[${text}]}`;
  // Whatever it is, it is our own object with a list in it.
  const edits = markersIn(JSON.parse(list) as object);
  return edits ? { text: inside(spliceMembers(list, edits), 'list'), count } : { text, count };
}

/** What may hold parts that carry markers: not a call's arguments, where any key may stand. */
const HOLDERS: ReadonlySet<string> = new Set(['list', 'content', 'tool_calls', 'output']);

function markersIn(holder: object): Edits | null {
  const edits: Edits = {};
  for (const [key, value] of Object.entries(holder)) {
    if (key === 'cache_control') edits[key] = undefined;
    else if (typeof value === 'object' && value !== null && (Array.isArray(holder) || HOLDERS.has(key))) {
      const inner = markersIn(value);
      if (inner) edits[key] = inner;
    }
  }
  return Object.keys(edits).length > 0 ? edits : null;
}

function isLead(item: unknown): boolean {
  return isObject(item) && (item.role === 'system' || item.role === 'developer');
}

export function joinTexts(parts: readonly Texts[]): Texts {
  return {
    text: parts.flatMap(({ text }) => (text === '' ? [] : [text])).join(','),
    count: parts.reduce((sum, { count }) => sum + count, 0),
  };
}

/** What stands between a list's brackets. */
function inside(text: string, list: string): string {
  return (valueText(text, [list]) ?? '[]').slice(1, -1).trim();
}

/** A text in place of a list of items is one message of the user (Responses). */
function textOf(text: string | undefined): Texts {
  if (!text?.startsWith('"') || text === '""') return NO_TEXTS;
  return { text: `{"role":"user","content":${text}}`, count: 1 };
}
