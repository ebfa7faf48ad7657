import type { AnthropicRequest, Rule } from './accepted.ts';
import { hasBeta } from './accepted.ts';
import { blocksOf } from './request.ts';

/** Fields that come with a beta header, and the header's name without its date (providers.md §3; SDK `AnthropicBeta`). */
const BETA_FIELDS: Record<string, string> = {
  context_management: 'context-management-',
  mcp_servers: 'mcp-client-',
  output_format: 'structured-outputs-',
  fallbacks: 'server-side-fallback-',
  fallback_credit_token: 'fallback-credit-',
  thread: 'message-threads-',
  compaction: 'compact-',
  billing_policy: 'user-profiles-billing-',
};

// ccDoc: header and body field travel together, else 400 "Extra inputs are not permitted".
const betaFieldNeedsHeader: Rule = (request) => {
  for (const [field, beta] of Object.entries(BETA_FIELDS)) {
    if (field in request.body && !hasBeta(request, beta)) return `${field}: Extra inputs are not permitted`;
  }
  const type = request.body.thinking?.type;
  if (request.body.thinking?.block_binding != null && !hasBeta(request, 'thinking-binding-controls-')) {
    return `thinking.${type}.block_binding: Extra inputs are not permitted`;
  }
  const config = request.body.output_config;
  if (config !== undefined && 'task_budget' in config && !hasBeta(request, 'task-budgets-')) {
    return 'output_config.task_budget: Extra inputs are not permitted';
  }
  const { thinking } = request.body;
  const isUpdates = thinking !== undefined && 'display' in thinking && thinking.display === 'updates';
  if (isUpdates && !hasBeta(request, 'thinking-display-updates-')) {
    return `thinking.${type}.display: Input should be 'summarized' or 'omitted'`;
  }
  return undefined;
};

// aSDK beta: `clear_at` and a message's own `output_config` each have their header, and only `system` carries them.
// The header of the second is the one that Claude Code 2.1.332 sends with it.
const betaMessageFieldNeedsHeader: Rule = (request) => {
  const fields = {
    clear_at: 'mid-conversation-system-clear-at-',
    output_config: 'per-turn-control-',
  } as const;
  for (const [index, message] of request.body.messages.entries()) {
    for (const field of ['clear_at', 'output_config'] as const) {
      if (message[field] === undefined) continue;
      if (message.role !== 'system' || !hasBeta(request, fields[field])) {
        return `messages.${index}.${field}: Extra inputs are not permitted`;
      }
    }
  }
  return undefined;
};

// providers.md §3, Answers: at most three entries, on Haiku 5.5 none.
const fallbackList: Rule = ({ body, model }) => {
  if (!Array.isArray(body.fallbacks)) return undefined;
  if (model.id === 'claude-haiku-5-5') return 'fallbacks: a list is not supported on this model';
  return body.fallbacks.length > 3 ? 'fallbacks: List should have at most 3 items' : undefined;
};

// Server-held state is out of reach here: said plainly, instead of answering without it.
const onlyWhatIsSimulated: Rule = ({ body }) => {
  for (const field of ['thread', 'compaction', 'container', 'mcp_servers'] as const) {
    if (field in body && body[field] !== undefined) {
      return `${field}: this is a simulated provider, which does not simulate this field`;
    }
  }
  return undefined;
};

const atLeastOneMessage: Rule = ({ body }) =>
  body.messages.length === 0 ? 'messages: at least one message is required' : undefined;

// T34: empty text blocks are a 400; wording from 2025–26 reports (providers.md §3).
const nonEmptyText: Rule = ({ body }) => {
  const system = Array.isArray(body.system) ? body.system : [];
  if (system.some((block) => block.text === '')) return 'system: text content blocks must be non-empty';
  if (system.some((block) => block.text.trim() === '')) {
    return 'system: text content blocks must contain non-whitespace text';
  }
  for (const [index, message] of body.messages.entries()) {
    const isFinalAssistant = message.role === 'assistant' && index === body.messages.length - 1;
    if (message.content.length === 0 && !isFinalAssistant) {
      return message.role === 'user'
        ? `messages.${index}: user messages must have non-empty content`
        : `messages.${index}: all messages must have non-empty content except for the optional final assistant message`;
    }
    const texts = blocksOf(message.content).flatMap((block) => {
      if (block.type === 'text') return [block.text];
      if (block.type !== 'tool_result' || !Array.isArray(block.content)) return [];
      return block.content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
    });
    if (message.content.length > 0 && texts.includes(''))
      return 'messages: text content blocks must be non-empty';
    if (message.content.length > 0 && texts.some((text) => text.trim() === '')) {
      return 'messages: text content blocks must contain non-whitespace text';
    }
  }
  return undefined;
};

/** Which blocks stand in whose messages; `system` is text only (aDoc:mid-conversation-system-messages). */
const USER_BLOCKS = ['text', 'image', 'document', 'search_result', 'tool_result'];
const ASSISTANT_BLOCKS = ['text', 'thinking', 'redacted_thinking', 'tool_use', 'server_tool_use', 'document'];

const blocksFitTheirRole: Rule = (request) => {
  const { body, version } = request;
  for (const [index, message] of body.messages.entries()) {
    for (const [place, block] of blocksOf(message.content).entries()) {
      const at = `messages.${index}.content.${place}`;
      if (block.type === 'tool_addition' || block.type === 'tool_removal') {
        if (message.role !== 'system' || !hasBeta(request, 'mid-conversation-tool-changes-')) {
          return `${at}: Input tag '${block.type}' found using 'type' does not match any of the expected tags`;
        }
        const { name } = block.tool;
        if (!(body.tools ?? []).some((tool) => tool.name === name))
          return `${at}: tool '${name}' is not declared in \`tools\``;
        continue;
      }
      if (message.role === 'system' && block.type !== 'text') {
        return `${at}: system messages may only contain text blocks`;
      }
      if (message.role === 'user' && !USER_BLOCKS.includes(block.type)) {
        return `messages.${index}: \`${block.type}\` blocks can only be in \`assistant\` messages`;
      }
      const isOfAssistant = ASSISTANT_BLOCKS.includes(block.type) || block.type.endsWith('_tool_result');
      if (message.role === 'assistant' && !isOfAssistant) {
        return `messages.${index}: \`${block.type}\` blocks can only be in \`user\` messages`;
      }
      if (version !== '2026-10-21') continue;
      // aDoc:versioning, migration-2026-10-21.
      if (message.role === 'assistant' && block.type === 'document') {
        return `${at}: \`document\` blocks are not supported in assistant messages`;
      }
      if (message.role === 'user' && block.type === 'text' && (block.citations?.length ?? 0) > 0) {
        return `${at}.text.citations: \`citations\` are not supported on user text`;
      }
    }
  }
  return undefined;
};

const userSpeaksFirst: Rule = ({ body }) =>
  body.messages[0]?.role === 'assistant' ? 'messages: first message must use the "user" role' : undefined;

// aDoc:mid-conversation-system-messages: which models, and where it may stand.
const systemMessagePlaces: Rule = ({ body, model }) => {
  for (const [index, message] of body.messages.entries()) {
    if (message.role !== 'system') continue;
    if (!model.midSystem) return "role 'system' is not supported on this model";
    const before = body.messages[index - 1];
    const after = body.messages[index + 1];
    const lastBlock = before === undefined ? undefined : blocksOf(before.content).at(-1);
    const followsServerTool =
      before?.role === 'assistant' && lastBlock?.type.endsWith('_tool_result') === true;
    if (before?.role !== 'user' && !followsServerTool) {
      return `messages.${index}: a \`system\` message must follow a \`user\` message`;
    }
    if (after !== undefined && after.role !== 'assistant') {
      return `messages.${index}: a \`system\` message must be last or be followed by an \`assistant\` message`;
    }
  }
  return undefined;
};

const stopSequencesSaySomething: Rule = ({ body }) =>
  body.stop_sequences?.some((sequence) => sequence.trim() === '') === true
    ? 'stop_sequences: each stop sequence must contain non-whitespace'
    : undefined;

export const SHAPE_RULES: readonly Rule[] = [
  betaFieldNeedsHeader,
  betaMessageFieldNeedsHeader,
  fallbackList,
  onlyWhatIsSimulated,
  atLeastOneMessage,
  nonEmptyText,
  blocksFitTheirRole,
  userSpeaksFirst,
  systemMessagePlaces,
  stopSequencesSaySomething,
];

/** The first complaint of some rules. */
export function firstComplaint(rules: readonly Rule[], request: AnthropicRequest): string | undefined {
  for (const rule of rules) {
    const complaint = rule(request);
    if (complaint !== undefined) return complaint;
  }
  return undefined;
}
