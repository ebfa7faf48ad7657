import type { Ask, OfferedTool, Turn } from '../ask.ts';
import { REASONING_TOKENS } from './caller.ts';
import type { ChatBody, ChatMessage } from './chat-request.ts';
import type { Layout, Piece, PromptEntry } from './layout.ts';
import { layOut } from './layout.ts';
import type { GptModel } from './models.ts';
import type { Breakpoint } from './request-parts.ts';

/** Lays a chat out as the model reads it. */
export function layOutChat(body: ChatBody): Layout {
  const tools = (body.tools ?? []).map((tool) => JSON.stringify(tool));
  return layOut(tools, body.messages.map(entryOf));
}

function entryOf(message: ChatMessage): PromptEntry {
  const pieces = piecesOf(message);
  if (message.role === 'user' || message.role === 'assistant') return { role: message.role, pieces };
  const isOutput = message.role === 'tool' || message.role === 'function';
  return { role: isOutput ? 'output' : 'developer', pieces };
}

function piecesOf(message: ChatMessage): Piece[] {
  const pieces = contentPieces(message.content);
  if (message.role !== 'assistant') return pieces;
  for (const call of message.tool_calls ?? []) {
    const text =
      call.type === 'function'
        ? call.function.name + call.function.arguments
        : call.custom.name + call.custom.input;
    pieces.push({ text });
  }
  return pieces;
}

function contentPieces(content: ChatMessage['content']): Piece[] {
  if (content == null) return [];
  if (typeof content === 'string') return [{ text: content }];
  return content.map(pieceOf);
}

type ChatPart = Exclude<ChatMessage['content'], string | null | undefined>[number];

function pieceOf(part: ChatPart): Piece {
  switch (part.type) {
    case 'text':
      return { text: part.text, mark: part.prompt_cache_breakpoint };
    case 'refusal':
      return { text: part.refusal };
    case 'image_url':
      return { text: '', image: part.image_url.url, mark: part.prompt_cache_breakpoint };
    case 'input_audio':
      return { text: '', file: part.input_audio.data, mark: part.prompt_cache_breakpoint };
    case 'file':
      return { text: '', file: JSON.stringify(part.file), mark: part.prompt_cache_breakpoint };
  }
}

/** Explicit breakpoints and where they stand. */
export function chatMarks(body: ChatBody): { param: string; mark: Breakpoint }[] {
  return body.messages.flatMap((message, index) =>
    typeof message.content === 'string' || message.content == null
      ? []
      : message.content.flatMap((part, place) =>
          'prompt_cache_breakpoint' in part && part.prompt_cache_breakpoint != null
            ? [
                {
                  param: `messages[${index}].content[${place}].prompt_cache_breakpoint`,
                  mark: part.prompt_cache_breakpoint,
                },
              ]
            : [],
        ),
  );
}

/** Reads a chat into what scripts and the improviser look at. */
export function askOfChat(body: ChatBody, model: GptModel, promptTokens: number): Ask {
  const lastOther = body.messages.findLastIndex((message) => message.role !== 'tool');
  const stop = body.stop ?? [];
  const format = body.response_format;
  return {
    api: 'openai-chat',
    model: body.model,
    stream: body.stream === true,
    turns: body.messages.flatMap(turnOf),
    callIds: body.messages
      .slice(lastOther + 1)
      .flatMap((one) => (one.role === 'tool' ? [one.tool_call_id] : [])),
    ...offered(body),
    format:
      format?.type === 'json_schema'
        ? { type: 'json_schema', schema: format.json_schema.schema }
        : { type: format?.type ?? 'text' },
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? model.maxOutput,
    windowLeft: model.contextWindow - promptTokens,
    stop: typeof stop === 'string' ? [stop] : stop,
    thinkingTokens: REASONING_TOKENS[body.reasoning_effort ?? model.defaultEffort ?? 'none'] ?? 0,
    tokenizer: 'plain',
  };
}

function turnOf(message: ChatMessage): Turn[] {
  const text = contentPieces(message.content)
    .map((piece) => piece.text)
    .join('\n');
  switch (message.role) {
    case 'user':
    case 'tool':
      return [{ role: message.role, text }];
    case 'function':
      return [{ role: 'tool', text }];
    case 'assistant':
      return [
        {
          role: 'assistant',
          text,
          calls: (message.tool_calls ?? []).map((call) =>
            call.type === 'function'
              ? call.function
              : { name: call.custom.name, arguments: call.custom.input },
          ),
        },
      ];
    default:
      return [];
  }
}

function offered(body: ChatBody): Pick<Ask, 'tools' | 'toolChoice'> {
  const tools = (body.tools ?? []).map(
    (tool): OfferedTool =>
      tool.type === 'function'
        ? {
            name: tool.function.name,
            description: tool.function.description ?? '',
            schema: tool.function.parameters ?? { type: 'object' },
          }
        : { name: tool.custom.name, description: tool.custom.description ?? '', schema: {}, freeText: true },
  );
  const choice = body.tool_choice ?? 'auto';
  if (choice === 'none' || choice === 'auto') return { tools, toolChoice: { type: choice } };
  if (choice === 'required') return { tools, toolChoice: { type: 'any' } };
  if (choice.type === 'function') return { tools, toolChoice: { type: 'tool', name: choice.function.name } };
  if (choice.type === 'custom') return { tools, toolChoice: { type: 'tool', name: choice.custom.name } };
  const allowed = JSON.stringify(choice.allowed_tools.tools);
  return {
    tools: tools.filter((tool) => allowed.includes(`"name":${JSON.stringify(tool.name)}`)),
    toolChoice: { type: choice.allowed_tools.mode === 'required' ? 'any' : 'auto' },
  };
}
