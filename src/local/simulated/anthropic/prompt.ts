import { createHash } from 'node:crypto';
import { countTokens, FILE_TOKENS, IMAGE_TOKENS } from '../tokens.ts';
import type { AnthropicRequest } from './accepted.ts';
import type { CacheControl, ContentBlock } from './request.ts';
import { blocksOf } from './request.ts';
import type { Mismatch } from './thinking.ts';
import { fateOf, isInContext, isThinking, signatureOf } from './thinking.ts';

export type Level = 'tools' | 'system' | 'messages';

/** One block of the prompt, in the order the model reads it: a place a cache may end at. */
export interface Position {
  level: Level;
  tokens: number;
  /** Fingerprint of everything up to and with this block. */
  chain: string;
  ttl: '5m' | '1h' | undefined;
  /** Markers on it: those inside a tool result mark the result, and each counts. */
  marks: number;
  markable: boolean;
}

/** A thinking block that failed a binding check, as an answer reports it (aSDK `BetaInputTransformation`). */
export interface InputTransformation {
  type: 'thinking_dropped' | 'thinking_mismatch_allowed';
  path: string;
  reason: Mismatch;
}

export interface Prompt {
  positions: Position[];
  tokens: number;
  images: number;
  hasCitations: boolean;
  /** Fingerprint of what stands before each message, thinking left out; the last one is that of the whole. */
  prefixes: string[];
  transformations: InputTransformation[];
}

/** Lays a request out as tools → system → messages (providers.md §1, "order of the prefix"). */
export function layOut(request: AnthropicRequest): Prompt {
  const { body, model } = request;
  const prompt: Prompt = {
    positions: [],
    tokens: 0,
    images: 0,
    hasCitations: false,
    prefixes: [],
    transformations: [],
  };
  let chain = '';
  let bound = '';

  const add = (
    level: Level,
    rendered: string,
    tokens: number,
    marks: readonly (CacheControl | null | undefined)[],
    markable: boolean,
  ) => {
    const set = marks.filter((mark) => mark != null);
    chain = link(chain, rendered);
    prompt.tokens += tokens;
    prompt.positions.push({
      level,
      tokens,
      chain,
      ttl: set[0] === undefined ? undefined : (set[0].ttl ?? '5m'),
      marks: set.length,
      markable,
    });
  };

  // Web search is told to the model in the system prompt: switching it on leaves the tools.
  const tools = body.tools ?? [];
  for (const tool of [...tools.filter((one) => !isWebSearch(one)), ...tools.filter(isWebSearch)]) {
    const { cache_control, ...definition } = tool;
    const rendered = JSON.stringify(definition);
    bound = link(bound, rendered);
    const level = isWebSearch(tool) ? 'system' : 'tools';
    add(level, rendered, countTokens(rendered, model.tokenizer), [cache_control], true);
  }
  const system = typeof body.system === 'string' ? [{ text: body.system }] : (body.system ?? []);
  for (const block of system) {
    if (block.text === '') continue;
    bound = link(bound, `system ${block.text}`);
    const mark = 'cache_control' in block ? block.cache_control : undefined;
    add('system', `system ${block.text}`, countTokens(block.text, model.tokenizer), [mark], true);
  }
  body.messages.forEach((message, index) => {
    prompt.prefixes.push(bound);
    for (const [place, block] of blocksOf(message.content).entries()) {
      if (isThinking(block)) {
        const signed = isInContext(request, index) ? signatureOf(block) : undefined;
        if (signed === undefined) continue;
        const { does, mismatch } = fateOf(request, signed, prompt.prefixes[index]);
        if (mismatch !== undefined) {
          prompt.transformations.push({
            type: does === 'dropped' ? 'thinking_dropped' : 'thinking_mismatch_allowed',
            path: `messages.${index}.content.${place}`,
            reason: mismatch,
          });
        }
        if (does === 'dropped') continue;
        add(
          'messages',
          `thinking ${block.type === 'thinking' ? block.signature : block.data}`,
          signed.tokens,
          [],
          false,
        );
        continue;
      }
      const seen = lookAt(block);
      prompt.images += seen.images;
      prompt.hasCitations ||= seen.citations;
      const rendered = `${message.role} ${block.type} ${seen.identity}`;
      bound = link(bound, rendered);
      const tokens =
        countTokens(seen.text, model.tokenizer) + seen.images * IMAGE_TOKENS + seen.files * FILE_TOKENS;
      add('messages', rendered, tokens, [block.cache_control, ...innerMarks(block)], true);
    }
  });
  prompt.prefixes.push(bound);
  return prompt;
}

function innerMarks(block: ContentBlock): (CacheControl | null | undefined)[] {
  if (block.type !== 'tool_result' || typeof block.content === 'string') return [];
  return (block.content ?? []).map((part) => part.cache_control);
}

function isWebSearch(tool: { type?: unknown }): boolean {
  return typeof tool.type === 'string' && tool.type.startsWith('web_search_');
}

interface Look {
  /** What is counted as text. */
  text: string;
  /** What makes this block different from another; all of it. */
  identity: string;
  images: number;
  files: number;
  citations: boolean;
}

function lookAt(block: ContentBlock): Look {
  const look: Look = { text: '', identity: '', images: 0, files: 0, citations: false };
  switch (block.type) {
    case 'text':
      return { ...look, text: block.text, identity: block.text };
    case 'image':
      return { ...look, images: 1, identity: JSON.stringify(block.source) };
    case 'document': {
      const { source } = block;
      const cited = block.citations?.enabled === true;
      const identity = JSON.stringify([source, block.title, block.context, block.citations]);
      if (source.type === 'text') return { ...look, text: source.data, identity, citations: cited };
      return { ...look, files: 1, identity, citations: cited };
    }
    case 'search_result': {
      const text = [block.title, block.source, ...block.content.map((part) => part.text)].join('\n');
      return { ...look, text, identity: text, citations: block.citations?.enabled === true };
    }
    case 'tool_use': {
      // Key order inside `input` counts: exactly as it was sent.
      const text = block.name + JSON.stringify(block.input);
      return { ...look, text, identity: `${block.id} ${text}` };
    }
    case 'tool_result': {
      const parts =
        typeof block.content === 'string'
          ? [{ type: 'text' as const, text: block.content }]
          : (block.content ?? []);
      const seen = parts.map((part) =>
        part.type === 'tool_reference'
          ? { ...look, text: part.tool_name, identity: part.tool_name }
          : lookAt(part),
      );
      return {
        text: seen.map((one) => one.text).join(''),
        identity: `${block.tool_use_id} ${block.is_error === true} ${seen.map((one) => one.identity).join('\n')}`,
        images: seen.reduce((sum, one) => sum + one.images, 0),
        files: seen.reduce((sum, one) => sum + one.files, 0),
        citations: seen.some((one) => one.citations),
      };
    }
    default: {
      const text = JSON.stringify(block);
      return { ...look, text, identity: text };
    }
  }
}

function link(chain: string, rendered: string): string {
  return createHash('sha256').update(chain).update(rendered).digest('base64url');
}
