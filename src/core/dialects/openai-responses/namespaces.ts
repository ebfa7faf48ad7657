import { isObject, type JsonObject } from '../provider-json.ts';
import type { ResponsesRequestBody } from './schema.ts';

/**
 * Responses groups tools in namespaces: Codex offers its sub-agents and every MCP server so. Other wires know none;
 * there a tool has the name that Codex itself gives it where a provider has no namespaces (openai/codex#29602), and a
 * call is told apart again on its way back: Codex finds no tool by the joined name (vllm-project/vllm#46737).
 */
export function joinedName(name: string, namespace: unknown): string {
  return typeof namespace === 'string' && namespace !== '' ? `${namespace}__${name}` : name;
}

/** A tool as the client offered it. */
export interface OfferedTool {
  name: string;
  namespace?: string;
  /** Takes free text. */
  custom: boolean;
}

/** The tools a client offered, by the name a model calls them with. */
export function offeredTools({ tools }: ResponsesRequestBody): ReadonlyMap<string, OfferedTool> {
  const offered = new Map<string, OfferedTool>();
  for (const tool of tools ?? []) {
    const namespace = tool.type === 'namespace' ? { namespace: String(tool.name) } : {};
    for (const { name, type } of tool.type === 'namespace' ? membersOf(tool) : [tool]) {
      offered.set(joinedName(String(name), namespace.namespace), {
        name: String(name),
        ...namespace,
        custom: type === 'custom',
      });
    }
  }
  return offered;
}

/** The tools of a namespace. */
export function membersOf({ tools }: JsonObject): JsonObject[] {
  return (Array.isArray(tools) ? tools : []).filter(isObject);
}
