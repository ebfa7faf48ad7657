import type { Rule } from './accepted.ts';
import { hasBeta } from './accepted.ts';
import type { ContentBlock, RequestMessage } from './request.ts';
import { blocksOf } from './request.ts';
import { isSealedResult, SERVER_TOOLS } from './server-tools.ts';

/** Tools, calls and results: providers.md §3, Tools. */

const toolNamesDiffer: Rule = ({ body }) => {
  const names = (body.tools ?? []).flatMap((tool) => (tool.name === undefined ? [] : [tool.name]));
  return new Set(names).size < names.length ? 'tools: Tool names must be unique.' : undefined;
};

// A type of Anthropic's own goes by one name, and some need their beta (aSDK `ToolUnion`, `BetaToolUnion`).
const serverToolsAreThemselves: Rule = (request) => {
  for (const [index, tool] of (request.body.tools ?? []).entries()) {
    const known = tool.type == null ? undefined : SERVER_TOOLS[tool.type];
    if (known === undefined) continue;
    if (known.beta !== undefined && !hasBeta(request, known.beta)) {
      return `tools.${index}: Input tag '${tool.type}' found using 'type' does not match any of the expected tags`;
    }
    if (tool.name !== known.name) {
      return known.name === undefined
        ? `tools.${index}.${tool.type}.name: Extra inputs are not permitted`
        : `tools.${index}.${tool.type}.name: Input should be '${known.name}'`;
    }
  }
  return undefined;
};

// A server tool's call and its result stand in one message. Where it is still unresolved and client tools were called
// too, the next message holds `tool_result` only (providers.md §3, Tools).
const serverCallsAreResolved: Rule = ({ body }) => {
  for (const [index, message] of body.messages.entries()) {
    if (message.role !== 'assistant') continue;
    const blocks = blocksOf(message.content);
    const called = blocks.flatMap((block) => (block.type === 'server_tool_use' ? [block.id] : []));
    const results = blocks.flatMap((block) => (isServerResult(block) ? [block] : []));
    for (const [place, block] of blocks.entries()) {
      if (!isServerResult(block)) continue;
      if (!called.includes(block.tool_use_id)) {
        return `messages.${index}.content.${place}: unexpected \`tool_use_id\` found in \`${block.type}\` blocks: ${block.tool_use_id}. Each \`${block.type}\` block must have a corresponding \`server_tool_use\` block before it.`;
      }
      const { content } = block;
      if (
        block.type === 'web_search_tool_result' &&
        Array.isArray(content) &&
        !content.every(isSealedResult)
      ) {
        return `messages.${index}.content.${place}: Invalid \`encrypted_content\` in \`web_search_result\` block`;
      }
    }
    const open = blocks.find(
      (block) =>
        block.type === 'server_tool_use' && !results.some((result) => result.tool_use_id === block.id),
    );
    const next = body.messages[index + 1];
    if (open?.type !== 'server_tool_use' || next === undefined) continue;
    const onlyResults =
      next.role === 'user' && blocksOf(next.content).every(({ type }) => type === 'tool_result');
    if (!onlyResults) {
      return `messages.${index}: \`${open.name}\` tool use with id \`${open.id}\` was found without a corresponding \`${open.name}_tool_result\` block`;
    }
  }
  return undefined;
};

type ServerResult = Extract<ContentBlock, { type: `${string}_tool_result` }>;

function isServerResult(block: ContentBlock): block is ServerResult {
  return block.type !== 'tool_result' && block.type.endsWith('_tool_result');
}

const toolChoiceNeedsTools: Rule = ({ body }) => {
  if (body.tool_choice === undefined) return undefined;
  if (body.tools === undefined || body.tools.length === 0) {
    return 'tool_choice: may only be specified while providing `tools`';
  }
  const { tool_choice: choice } = body;
  return choice.type === 'tool' && !body.tools.some((tool) => tool.name === choice.name)
    ? `Tool '${choice.name}' not found in provided tools`
    : undefined;
};

// Neighbouring messages of one role are combined by the API, but whether before this check isn't known: the stricter way.
// Every `tool_use` is answered in the next user message, all of them, first in it.
const callsAreAnswered: Rule = ({ body }) => {
  for (const [index, message] of body.messages.entries()) {
    const ids = callIds(message);
    if (ids.length === 0) continue;
    const next = body.messages[index + 1];
    const answered = next?.role === 'user' ? leadingResults(next) : [];
    const open = ids.filter((id) => !answered.includes(id));
    if (open.length > 0) {
      return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
    }
  }
  return undefined;
};

const resultsHaveCalls: Rule = ({ body }) => {
  for (const [index, message] of body.messages.entries()) {
    const before = body.messages[index - 1];
    const called = before === undefined ? [] : callIds(before);
    const seen = new Set<string>();
    for (const [place, block] of blocksOf(message.content).entries()) {
      if (block.type !== 'tool_result') continue;
      if (!called.includes(block.tool_use_id)) {
        return `messages.${index}.content.${place}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
      }
      if (seen.has(block.tool_use_id)) {
        return `messages.${index}.content.${place}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${block.tool_use_id}`;
      }
      seen.add(block.tool_use_id);
    }
  }
  return undefined;
};

const callIdsDiffer: Rule = ({ body }) => {
  const seen = new Set<string>();
  for (const [index, message] of body.messages.entries()) {
    for (const [place, block] of blocksOf(message.content).entries()) {
      if (block.type !== 'tool_use') continue;
      if (seen.has(block.id)) return `messages.${index}.content.${place}: \`tool_use\` ids must be unique`;
      seen.add(block.id);
    }
  }
  return undefined;
};

export const TOOL_RULES: readonly Rule[] = [
  serverToolsAreThemselves,
  toolNamesDiffer,
  toolChoiceNeedsTools,
  callsAreAnswered,
  resultsHaveCalls,
  callIdsDiffer,
  serverCallsAreResolved,
];

function callIds(message: RequestMessage): string[] {
  return message.role === 'assistant'
    ? blocksOf(message.content).flatMap((block) => (block.type === 'tool_use' ? [block.id] : []))
    : [];
}

/** Ids of the results a message begins with; text before them hides them. */
function leadingResults(message: RequestMessage): string[] {
  const blocks: readonly ContentBlock[] = blocksOf(message.content);
  const end = blocks.findIndex((block) => block.type !== 'tool_result');
  return (end < 0 ? blocks : blocks.slice(0, end)).flatMap((block) =>
    block.type === 'tool_result' ? [block.tool_use_id] : [],
  );
}
