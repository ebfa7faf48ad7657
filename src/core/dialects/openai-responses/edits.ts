import type { Conversation, Message, Tool } from '../../conversation.ts';
import type { Edits } from '../../json-splice.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { hasCacheMarks } from '../cache-marks.ts';
import { isObject, type JsonObject } from '../provider-json.ts';
import type { OwnRequest, RequestOptions } from '../upstream.ts';
import { SEALED_REASONING, writeRequest } from './request.ts';

/**
 * What has to change in a Responses client's own body for this model: only what `pipeline/prepare` changed, and what
 * the gateway answers for (model, storage).
 */
export function requestEdits(request: OwnRequest, model: CatalogModel, options: RequestOptions): Edits {
  const { original, prepared } = request;
  const body = isObject(request.body) ? request.body : {};
  const edits: Edits = {
    model: JSON.stringify(options.modelId),
    // Stored answers could be read by every customer of the provider's key: the gateway keeps them itself.
    store: 'false',
    ...includeEdit(body, model),
  };
  const change = <T>(
    name: string,
    of: (conversation: Conversation) => T,
    write: (value: T) => unknown,
  ): void => {
    if (of(prepared) !== of(original)) edits[name] = textOf(write(of(prepared)));
  };
  const same = (value: unknown): unknown => value;
  change('max_output_tokens', ({ output }) => output.maxTokens, same);
  change('temperature', ({ sampling }) => sampling.temperature, same);
  change('service_tier', ({ hints }) => hints.serviceTier, same);
  change('top_p', ({ sampling }) => sampling.topP, same);
  change(
    'tool_choice',
    ({ toolChoice }) => toolChoice,
    () => written(prepared, model, options).tool_choice,
  );
  if (prepared.reasoning.effort !== original.reasoning.effort) {
    edits.reasoning = { effort: textOf(prepared.reasoning.effort) };
  }
  if (prepared.output.verbosity !== original.output.verbosity) {
    edits.text = { verbosity: textOf(prepared.output.verbosity) };
  }
  if (prepared.hints.promptCacheOptions !== original.hints.promptCacheOptions) {
    edits.prompt_cache_options = undefined;
  }
  if (prepared.tools !== original.tools) edits.tools = toolEdits(body.tools, prepared.tools);
  if (prepared.messages !== original.messages) {
    const inner = sayTheSame(original, prepared) ? inputEdits(body.input, original, prepared) : null;
    if (inner) edits.input = inner;
    else Object.assign(edits, anew(prepared, model, options));
  }
  return edits;
}

/**
 * Reasoning comes sealed where the client counts on its answers being kept: it is sent back with them, and the
 * provider, who keeps nothing, could not look it up. A model that does not reason refuses to be asked for it.
 */
function includeEdit({ include, store }: JsonObject, { capabilities }: CatalogModel): Edits {
  const asked: unknown[] = Array.isArray(include) ? include : [];
  const reasons = capabilities.efforts.length > 0;
  if (asked.includes(SEALED_REASONING)) {
    const rest = asked.filter((one) => one !== SEALED_REASONING);
    return reasons ? {} : { include: rest.length > 0 ? JSON.stringify(rest) : undefined };
  }
  return reasons && store !== false ? { include: JSON.stringify([...asked, SEALED_REASONING]) } : {};
}

/** Tools that are no longer offered go; hosted ones, which only this wire knows, stay. */
function toolEdits(offered: unknown, prepared: readonly Tool[]): Edits {
  const edits: Edits = {};
  for (const [index, tool] of (Array.isArray(offered) ? offered : []).entries()) {
    if (!isObject(tool) || (tool.type !== 'function' && tool.type !== 'custom')) continue;
    const kept = prepared.find(({ name }) => name === tool.name);
    if (!kept) edits[index] = undefined;
    else if (tool.strict === true && kept.strict !== true) edits[index] = { strict: 'false' };
  }
  return edits;
}

/** Reasoning that can't go back leaves its place in the list, and markers their parts. */
function inputEdits(input: unknown, original: Conversation, prepared: Conversation): Edits {
  const edits: Edits = {};
  const kept = new Set(prepared.messages.flatMap(reasoningOf));
  const unmarked = hasCacheMarks(original) && !hasCacheMarks(prepared);
  for (const [index, item] of (Array.isArray(input) ? input : []).entries()) {
    if (!isObject(item)) continue;
    if (item.type === 'reasoning' && !kept.has(item)) edits[index] = undefined;
    else if (unmarked) edits[index] = unmarkedItem(item);
  }
  return edits;
}

function reasoningOf(message: Message): JsonObject[] {
  if (message.role !== 'assistant') return [];
  return message.content.flatMap((block) => (block.type === 'thinking' ? [block.raw] : []));
}

function unmarkedItem(item: JsonObject): Edits {
  const field = 'output' in item ? 'output' : 'content';
  const parts: unknown = item[field];
  const inner: Edits = {};
  for (const [index, part] of (Array.isArray(parts) ? parts : []).entries()) {
    if (isObject(part) && 'prompt_cache_breakpoint' in part)
      inner[index] = { prompt_cache_breakpoint: undefined };
  }
  return { [field]: inner };
}

/** Whether only reasoning and markers are gone. */
function sayTheSame(original: Conversation, prepared: Conversation): boolean {
  return (
    original.messages.length === prepared.messages.length &&
    original.messages.every((message, index) => {
      const other = prepared.messages[index];
      return message === other || (other !== undefined && essence(message) === essence(other));
    })
  );
}

function essence(message: Message): string {
  const content = message.role === 'assistant' ? message.content.filter(isSaid) : message.content;
  return JSON.stringify({ ...message, content }, (key, value) => (key === 'cache' ? undefined : value));
}

function isSaid({ type }: { type: string }): boolean {
  return type !== 'thinking';
}

/** A conversation that says something else: written whole, the instructions with it. */
function anew(prepared: Conversation, model: CatalogModel, options: RequestOptions): Edits {
  return { input: textOf(written(prepared, model, options).input), instructions: undefined };
}

function written(prepared: Conversation, model: CatalogModel, options: RequestOptions): JsonObject {
  return JSON.parse(writeRequest(prepared, model, options));
}

function textOf(value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(value);
}
