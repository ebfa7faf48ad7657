import { cacheRulesOf } from '../../context/cache-rules.ts';
import type { Conversation, Reasoning } from '../../conversation.ts';
import type { Edits } from '../../json-splice.ts';
import type { CatalogModel } from '../../routing/catalog.ts';
import { isObject, type JsonObject, objectAt, objectsAt, textAt } from '../provider-json.ts';
import type { OwnRequest, RequestOptions } from '../upstream.ts';
import { editMessages } from './message-edits.ts';
import { markerEdits } from './own-markers.ts';

/**
 * What has to change in an Anthropic client's own body for this model, at API version 2026-10-21 (T68): settings whose
 * meaning `pipeline/prepare` changed, and messages the model or the version refuses. All else stays byte for byte.
 */
export function requestEdits(
  { body, original, prepared, markers, report }: OwnRequest,
  model: CatalogModel,
  options: RequestOptions,
): Edits {
  const holder = isObject(body) ? body : {};
  const { output, sampling } = prepared;
  const tools = editTools(holder, original, prepared);
  const edits: Edits = {
    model: JSON.stringify(options.modelId),
    // Absent where tokens are only counted.
    ...(original.output.maxTokens === undefined
      ? {}
      : changed('max_tokens', original.output.maxTokens, output.maxTokens)),
    ...changed('temperature', original.sampling.temperature, sampling.temperature),
    ...changed('top_p', original.sampling.topP, sampling.topP),
    ...changed('top_k', original.sampling.topK, sampling.topK),
    ...editReasoning(holder, original.reasoning, prepared.reasoning),
    ...tools,
  };
  // What a model thought is bound to the tools as well (T16).
  const messages = editMessages(objectsAt(holder, 'messages'), model, {
    dropped: droppedThinking(original, prepared),
    toolsChanged: 'tools' in tools,
    report,
  });
  if (messages !== null) edits.messages = messages;
  // The last block that can be marked is; beside a client's own markers none is added (T20).
  if (!hasMarkers(holder) && holder.thread == null) {
    const control = markers?.long ? '{"type":"ephemeral","ttl":"1h"}' : '{"type":"ephemeral"}';
    edits.cache_control = control;
    if (markers) {
      const places = { known: markers.known, most: cacheRulesOf(model).breakpoints - 1 };
      addEdits(edits, markerEdits(holder, original, places, control));
    }
  }
  return edits;
}

/** Adds edits where none stand yet: a message that is rewritten gets no marker. */
function addEdits(edits: Edits, more: Edits): void {
  for (const [name, edit] of Object.entries(more)) {
    const there = edits[name];
    if (!Object.hasOwn(edits, name)) edits[name] = edit;
    else if (name === 'messages' && typeof there === 'object' && typeof edit === 'object') {
      edits[name] = { ...edit, ...there };
    }
  }
}

/** What `pipeline/prepare` left out of what models thought: for each message of the assistant the places. */
function droppedThinking(original: Conversation, prepared: Conversation): number[][] {
  if (prepared.messages === original.messages) return [];
  const kept = new Set<object>(prepared.messages.flatMap(({ content }): object[] => content));
  return original.messages
    .filter(({ role }) => role === 'assistant')
    .map(({ content }) =>
      content.flatMap((block, place) => (block.type === 'thinking' && !kept.has(block) ? [place] : [])),
    );
}

function changed(name: string, before: number | undefined, now: number | undefined): Edits {
  return before === now ? {} : { [name]: now === undefined ? undefined : JSON.stringify(now) };
}

function editReasoning(body: JsonObject, before: Reasoning, now: Reasoning): Edits {
  const edits: Edits = {};
  if (before.effort !== now.effort) {
    const effort = now.effort === undefined ? undefined : JSON.stringify(now.effort);
    edits.output_config = isObject(body.output_config)
      ? { effort }
      : effort === undefined
        ? undefined
        : `{"effort":${effort}}`;
  }
  if (before.mode === now.mode && before.budgetTokens === now.budgetTokens) return edits;
  if (now.mode === undefined) return { ...edits, thinking: undefined };
  const budget = now.budgetTokens === undefined ? undefined : String(now.budgetTokens);
  const shows = now.mode === 'adaptive' || now.mode === 'enabled';
  if (!isObject(body.thinking)) {
    edits.thinking = JSON.stringify({ type: now.mode, budget_tokens: now.budgetTokens });
    return edits;
  }
  edits.thinking = {
    type: JSON.stringify(now.mode),
    budget_tokens: budget,
    ...(shows ? {} : { display: undefined }),
  };
  return edits;
}

/** A forced choice that became a request (T67), and the tools left out for it; `strict` where the model has none. */
function editTools(body: JsonObject, original: Conversation, prepared: Conversation): Edits {
  const edits: Edits = {};
  if (prepared.tools !== original.tools) {
    const left = new Map(prepared.tools.map((tool) => [tool.name, tool]));
    const each: Edits = {};
    // Anthropic's own tools go with the others: one of the client's was asked for.
    const only = left.size < original.tools.length;
    objectsAt(body, 'tools').forEach((tool, index) => {
      const kept = left.get(textAt(tool, 'name') ?? '');
      if (kept === undefined) {
        if (only) each[index] = undefined;
      } else if (kept.strict === undefined && tool.strict === true) each[index] = { strict: undefined };
    });
    if (left.size === 0) return { tools: undefined, tool_choice: undefined };
    if (Object.keys(each).length > 0) edits.tools = each;
  }
  const choice = objectAt(body, 'tool_choice');
  if (choice && prepared.toolChoice !== original.toolChoice) {
    edits.tool_choice = { type: '"auto"', name: undefined };
  }
  return edits;
}

/** The client's own markers, wherever they stand. */
function hasMarkers(body: JsonObject): boolean {
  const isMarked = (holder: JsonObject): boolean =>
    holder.cache_control != null || objectsAt(holder, 'content').some(isMarked);
  const parts = ['tools', 'system', 'messages'].flatMap((name) => objectsAt(body, name));
  return body.cache_control != null || parts.some(isMarked);
}
