import type {
  AssistantBlock,
  CacheMark,
  DocumentBlock,
  ForeignBlock,
  ImageBlock,
  TextBlock,
  UserBlock,
} from '../../conversation.ts';
import { originalId } from '../../tool-ids.ts';
import { isObject, type JsonObject, textAt } from '../provider-json.ts';
import type { WireAssistantBlock, WireText, WireToolResult, WireUserBlock } from './request-schema.ts';

/** What of a request can't go to other wires; paths as Anthropic writes them: `messages.0.content.1`. */
export interface Bound {
  /** What only an Anthropic model can take: it pins the step. */
  own: string[];
  /** What another model does without, and is told to. */
  lost: Set<string>;
}

type Shown = Exclude<WireUserBlock, WireToolResult>;
type CacheControl = { ttl?: '5m' | '1h' | null | undefined } | null | undefined;

export function readText(block: WireText): TextBlock {
  const citations = block.citations ?? [];
  return {
    type: 'text',
    text: block.text,
    ...(citations.length > 0 ? { citations } : {}),
    ...mark(block.cache_control),
  };
}

/** A string is one text; an empty one is nothing. */
export function readTexts(content: string | readonly WireText[]): TextBlock[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  return content.map(readText);
}

/** What a user or a tool's result shows. */
export function readShown(block: Shown, path: string, bound: Bound): UserBlock {
  switch (block.type) {
    case 'text':
      // The schema has checked it; the type of an unknown block could be any text.
      return readText(block as WireText);
    case 'image':
      return readImage(block) ?? foreign(block, path, bound);
    case 'document':
      return readDocument(block, bound) ?? foreign(block, path, bound);
    case 'search_result':
      return readSearchResult(block, bound);
    default:
      return foreign(block, path, bound);
  }
}

/**
 * What a model said; a document in its mouth, which older versions of the API took, is its provider's alone.
 * @param inputText a call's input as it stands in the body
 */
export function readSaid(
  block: WireAssistantBlock,
  path: string,
  bound: Bound,
  inputText: () => string | undefined,
): AssistantBlock {
  switch (block.type) {
    case 'text':
      return readText(block as WireText);
    case 'thinking':
    case 'redacted_thinking':
      return { type: 'thinking', wire: 'anthropic-messages', raw: block };
    case 'tool_use': {
      const { caller, toolset_name: toolset } = block;
      // Called from the provider's own sandbox, or of one of its toolsets.
      if ((isObject(caller) && caller.type !== 'direct') || toolset != null) bound.own.push(path);
      return {
        type: 'tool_call',
        id: originalId(String(block.id)),
        name: String(block.name),
        arguments: inputText() ?? JSON.stringify(block.input),
        ...mark(controlOf(block)),
      };
    }
    default:
      return foreign(block, path, bound);
  }
}

export function mark(cache: CacheControl): { cache?: CacheMark } {
  if (!cache) return {};
  return { cache: cache.ttl ? { ttl: cache.ttl } : {} };
}

/** Null where the source is none that other wires know. */
function readImage(block: JsonObject): ImageBlock | null {
  const source = sourceOf(block);
  const url = textAt(source, 'url');
  const data = textAt(source, 'data');
  const cache = mark(controlOf(block));
  if (block.transformations != null) return null;
  if (source.type === 'url' && url !== undefined)
    return { type: 'image', source: { kind: 'url', url }, ...cache };
  if (source.type !== 'base64' || data === undefined) return null;
  const mediaType = textAt(source, 'media_type') ?? 'image/png';
  return { type: 'image', source: { kind: 'base64', mediaType, data }, ...cache };
}

function readDocument(block: JsonObject, bound: Bound): DocumentBlock | null {
  const source = documentSource(sourceOf(block));
  if (source === null) return null;
  const title = textAt(block, 'title');
  const context = textAt(block, 'context');
  const cited = isCited(block, bound);
  return {
    type: 'document',
    source,
    ...(title === undefined ? {} : { title }),
    ...(context === undefined ? {} : { context }),
    ...(cited ? { citations: true } : {}),
    ...mark(controlOf(block)),
  };
}

function documentSource(source: JsonObject): DocumentBlock['source'] | null {
  const data = textAt(source, 'data');
  const url = textAt(source, 'url');
  if (source.type === 'url' && url !== undefined) return { kind: 'url', url };
  if (source.type === 'text' && data !== undefined) return { kind: 'text', text: data };
  if (source.type === 'base64' && data !== undefined)
    return { kind: 'base64', mediaType: textAt(source, 'media_type') ?? 'application/pdf', data };
  if (source.type !== 'content') return null;
  if (typeof source.content === 'string') return { kind: 'text', text: source.content };
  const parts: unknown[] = Array.isArray(source.content) ? source.content : [];
  const texts = parts.flatMap((part) => (isObject(part) ? [textAt(part, 'text')] : []));
  // One with pictures in it is its provider's alone.
  return texts.every((text) => text !== undefined) ? { kind: 'text', text: texts.join('\n\n') } : null;
}

/** Other wires have no word for it, and what it holds is text. */
function readSearchResult(block: JsonObject, bound: Bound): TextBlock {
  isCited(block, bound);
  const parts: unknown[] = Array.isArray(block.content) ? block.content : [];
  const texts = parts.flatMap((part) => (isObject(part) ? [textAt(part, 'text') ?? ''] : []));
  const head = `[Search result: ${textAt(block, 'title') ?? ''} (${textAt(block, 'source') ?? ''})]`;
  return { type: 'text', text: [head, ...texts].join('\n'), ...mark(controlOf(block)) };
}

function isCited(block: JsonObject, bound: Bound): boolean {
  const cited = isObject(block.citations) && block.citations.enabled === true;
  if (cited) bound.lost.add('messages.content.citations');
  return cited;
}

function foreign(block: JsonObject, path: string, bound: Bound): ForeignBlock {
  bound.own.push(path);
  return { type: 'foreign', kind: String(block.type), raw: block };
}

function sourceOf(block: JsonObject): JsonObject {
  return isObject(block.source) ? block.source : {};
}

function controlOf(block: JsonObject): CacheControl {
  const control = block.cache_control;
  if (!isObject(control)) return null;
  return control.ttl === '5m' || control.ttl === '1h' ? { ttl: control.ttl } : {};
}
