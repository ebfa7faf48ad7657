import { seal, unseal } from '../sealed.ts';

/** Anthropic's own tools: a type with a date, the one name it goes by, and the beta it needs (aSDK `ToolUnion`, `BetaToolUnion`). */
export const SERVER_TOOLS: Record<string, { name: string | undefined; beta?: string }> = {
  advisor_20260301: { name: 'advisor', beta: 'advisor-tool-' },
  bash_20241022: { name: 'bash', beta: 'computer-use-' },
  bash_20250124: { name: 'bash' },
  browser_toolset_20260801: { name: undefined },
  code_execution_20250522: { name: 'code_execution' },
  code_execution_20250825: { name: 'code_execution' },
  code_execution_20260120: { name: 'code_execution' },
  code_execution_20260521: { name: 'code_execution' },
  computer_20241022: { name: 'computer', beta: 'computer-use-' },
  computer_20250124: { name: 'computer', beta: 'computer-use-' },
  computer_20251124: { name: 'computer', beta: 'computer-use-' },
  computer_toolset_20260801: { name: undefined },
  memory_20250818: { name: 'memory' },
  text_editor_20241022: { name: 'str_replace_editor', beta: 'computer-use-' },
  text_editor_20250124: { name: 'str_replace_editor' },
  text_editor_20250429: { name: 'str_replace_based_edit_tool' },
  text_editor_20250728: { name: 'str_replace_based_edit_tool' },
  tool_search_tool_bm25_20251119: { name: 'tool_search_tool_bm25' },
  tool_search_tool_regex_20251119: { name: 'tool_search_tool_regex' },
  web_fetch_20250910: { name: 'web_fetch' },
  web_fetch_20260209: { name: 'web_fetch' },
  web_fetch_20260309: { name: 'web_fetch' },
  web_fetch_20260318: { name: 'web_fetch' },
  web_search_20250305: { name: 'web_search' },
  web_search_20260209: { name: 'web_search' },
  web_search_20260318: { name: 'web_search' },
};

/** A block as a script gave it, each web search result with the opaque content it has to come back with. */
export function sealedResults(block: Record<string, unknown>): Record<string, unknown> {
  if (block.type !== 'web_search_tool_result' || !Array.isArray(block.content)) return block;
  const content: unknown[] = block.content;
  return {
    ...block,
    content: content.map((result) =>
      result !== null && typeof result === 'object'
        ? { page_age: null, ...result, encrypted_content: seal(result) }
        : result,
    ),
  };
}

/** Whether a web search result's opaque content is one of ours, unchanged. */
export function isSealedResult(result: unknown): boolean {
  return (
    result !== null &&
    typeof result === 'object' &&
    'encrypted_content' in result &&
    typeof result.encrypted_content === 'string' &&
    unseal(result.encrypted_content) !== undefined
  );
}
