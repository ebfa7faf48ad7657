import type { Conversation, Tool, ToolChoice } from '../../conversation.ts';
import { invalidRequest } from '../../errors.ts';
import type { JsonObject } from '../provider-json.ts';
import { fieldError } from '../schema-error.ts';
import { joinedName, membersOf } from './namespaces.ts';
import { customTool, functionTool, type ResponsesRequestBody } from './schema.ts';

/** What of a request's tools other wires know, and the paths of what they don't. */
export interface ReadTools {
  tools: Tool[];
  choice?: ToolChoice;
  own: string[];
  /** Hosted tools that a harness offers beside its own: the request makes sense without them. */
  spare: string[];
}

/**
 * Reads tools and tool choice. An omitted `strict` means "where possible": that is left to the provider, since no
 * other wire has a word for it and a schema made strict would ask for more than the client did.
 * @throws FluxError 400 that names the field
 */
export function readTools(request: ResponsesRequestBody): ReadTools {
  const offered = request.tools ?? [];
  const own: string[] = [];
  const spare: string[] = [];
  const tools = offered.flatMap((tool, index): Tool[] => {
    const path = `tools[${index}]`;
    if (tool.type === 'namespace') return readNamespace(tool, path, own);
    if (SPARE_TOOLS.has(tool.type) && offered.some(isClientTool)) {
      spare.push(`tools.${tool.type}`);
      return [];
    }
    return readTool(tool, path, own);
  });
  const choice = readChoice(request.tool_choice, { tools, any: offered.length > 0 }, own);
  return { tools, own, spare, ...(choice ? { choice } : {}) };
}

/** Codex offers them to every model, its own tools beside. */
const SPARE_TOOLS: ReadonlySet<string> = new Set(['web_search', 'web_search_preview', 'image_generation']);

function isClientTool({ type }: { type: string }): boolean {
  return type === 'function' || type === 'custom' || type === 'namespace';
}

/** Its tools, as if each stood alone; what the namespace says of them all stands before the first one's description. */
function readNamespace(namespace: JsonObject, path: string, own: string[]): Tool[] {
  const tools = membersOf(namespace).flatMap((member, index) =>
    readTool({ ...member, type: String(member.type) }, `${path}.tools[${index}]`, own),
  );
  return tools.map((tool, index) => {
    const said = [index === 0 ? namespace.description : '', tool.description].filter(Boolean).join('\n\n');
    return {
      ...tool,
      name: joinedName(tool.name, namespace.name),
      ...(said === '' ? {} : { description: said }),
    };
  });
}

/** Members of a function that say who else may call it, or that it is to be found first: OpenAI's own runtime does. */
const RUNTIME_MEMBERS = ['defer_loading', 'allowed_callers', 'async'];

function readTool(tool: { type: string; [member: string]: unknown }, path: string, own: string[]): Tool[] {
  if (tool.type !== 'function' && tool.type !== 'custom') {
    own.push(`${path}.type`);
    return [];
  }
  for (const member of RUNTIME_MEMBERS) {
    if (tool[member] != null && tool[member] !== false) own.push(`${path}.${member}`);
  }
  const parsed = (tool.type === 'function' ? functionTool : customTool).safeParse(tool);
  if (!parsed.success) throw fieldError(parsed.error, tool, path);
  const { name, description } = parsed.data;
  const named = { name, ...(description == null ? {} : { description }) };
  if (tool.type === 'custom') {
    const { format } = customTool.parse(tool);
    return [{ ...named, custom: format == null ? {} : { format } }];
  }
  const { parameters, strict } = functionTool.parse(tool);
  return [
    {
      ...named,
      ...(parameters ? { parameters } : {}),
      ...(typeof strict === 'boolean' ? { strict } : {}),
    },
  ];
}

function readChoice(
  choice: ResponsesRequestBody['tool_choice'],
  { tools, any }: { tools: Conversation['tools']; any: boolean },
  own: string[],
): ToolChoice | undefined {
  if (choice == null) return undefined;
  if (!any) {
    if (choice === 'none' || choice === 'auto') return undefined;
    throw invalidRequest("'tool_choice' is only allowed when 'tools' are specified.", 'tool_choice');
  }
  if (typeof choice === 'string') return { type: choice };
  const named = choice.type === 'allowed_tools' && Array.isArray(choice.tools) ? choice.tools : [choice];
  const isOurs = (one: { type?: unknown }) => one.type === 'function' || one.type === 'custom';
  if (!named.every(isOurs)) {
    own.push('tool_choice');
    return undefined;
  }
  const names = named.map(({ name, namespace }) => joinedName(String(name), namespace));
  if (names.some((name) => !tools.some((tool) => tool.name === name))) {
    throw invalidRequest("'tool_choice' names a tool that is not in 'tools'.", 'tool_choice');
  }
  const [name = ''] = names;
  if (choice.type !== 'allowed_tools') return { type: 'tool', name };
  return { type: 'allowed', mode: choice.mode === 'required' ? 'required' : 'auto', names };
}
