import type { AssistantBlock, Message, ToolResultBlock, UserBlock } from '../../conversation.ts';
import { invalidRequest } from '../../errors.ts';
import { elementTexts } from '../../json-scan.ts';
import { originalId } from '../../tool-ids.ts';
import { inputTexts } from './arguments.ts';
import { type Bound, mark, readSaid, readShown, readTexts } from './read-blocks.ts';
import type { WireMessage, WireToolResult } from './request-schema.ts';

type UserMessage = Extract<WireMessage, { role: 'user' }>;

/**
 * Messages as the conversation has them: tool results in messages of their own, before what the user says with them.
 * @param rawBody the text of the whole body, where it is at hand
 * @param paired whether every call has to be answered here (not where the API holds part of the history)
 * @throws FluxError 400 where calls and results don't belong together, in Anthropic's words: clients recover by them
 */
export function toMessages(
  wire: readonly WireMessage[],
  rawBody: string | undefined,
  bound: Bound,
  paired: boolean,
): Message[] {
  let texts: readonly string[] | undefined;
  const messages: Message[] = [];
  let open = new Set<string>();
  let caller = 0;
  for (const [index, message] of wire.entries()) {
    const path = `messages.${index}.content`;
    if (message.role === 'user') {
      const { results, shown } = readUser(message, path, bound);
      for (const { block, id } of results) {
        if (open.delete(id) || !paired) continue;
        const at = Array.isArray(message.content) ? message.content.indexOf(block) : 0;
        throw invalidRequest(
          `${path}.${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`,
          `${path}.${at}`,
        );
      }
      if (results.length > 0) messages.push({ role: 'tool', content: results.map(({ result }) => result) });
      if (shown.length > 0 || results.length === 0) {
        if (paired) requireResults(open, caller);
        messages.push({ role: 'user', content: shown });
      }
      continue;
    }
    if (paired) requireResults(open, caller);
    if (message.role === 'system') {
      // Beta: when it goes, and how much to think from there on.
      if (message.clear_at !== undefined) bound.lost.add('messages.clear_at');
      if (message.output_config !== undefined) bound.lost.add('messages.output_config');
      messages.push({ role: 'system', content: readTexts(message.content) });
      continue;
    }
    const { content } = message;
    const inputs = inputTexts(() => {
      texts ??= elementTexts(rawBody ?? '{}', ['messages']);
      return texts[index];
    });
    const said: AssistantBlock[] =
      typeof content === 'string'
        ? readTexts(content)
        : content.map((block, place) => readSaid(block, `${path}.${place}`, bound, () => inputs(place)));
    messages.push({ role: 'assistant', content: said });
    caller = index;
    open = new Set(typeof content === 'string' ? [] : content.flatMap(callId));
  }
  if (paired) requireResults(open, caller);
  return messages;
}

interface ReadResult {
  block: WireToolResult;
  /** As on the wire. */
  id: string;
  result: ToolResultBlock;
}

function readUser(
  { content }: UserMessage,
  path: string,
  bound: Bound,
): { results: ReadResult[]; shown: UserBlock[] } {
  if (typeof content === 'string') return { results: [], shown: readTexts(content) };
  const results: ReadResult[] = [];
  const shown: UserBlock[] = [];
  for (const [place, block] of content.entries()) {
    if (!isResult(block)) shown.push(readShown(block, `${path}.${place}`, bound));
    else results.push({ block, id: block.tool_use_id, result: readResult(block, `${path}.${place}`, bound) });
  }
  return { results, shown };
}

function readResult(block: WireToolResult, path: string, bound: Bound): ToolResultBlock {
  const { content } = block;
  if (block.toolset_name != null) bound.own.push(path);
  return {
    type: 'tool_result',
    callId: originalId(block.tool_use_id),
    content: Array.isArray(content)
      ? content.map((part, place) => readShown(part, `${path}.content.${place}`, bound))
      : readTexts(content ?? ''),
    ...(block.is_error === true ? { isError: true } : {}),
    ...mark(block.cache_control),
  };
}

function isResult(block: { type: string }): block is WireToolResult {
  return block.type === 'tool_result';
}

function callId(block: { type: string; id?: unknown }): string[] {
  return block.type === 'tool_use' ? [String(block.id)] : [];
}

function requireResults(open: ReadonlySet<string>, caller: number): void {
  if (open.size === 0) return;
  throw invalidRequest(
    `messages.${caller}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${[...open].join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
    `messages.${caller}`,
  );
}
