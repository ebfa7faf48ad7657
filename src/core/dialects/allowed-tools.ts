import type { Conversation } from '../conversation.ts';
import type { Report } from '../routing/adaptation.ts';

/**
 * `allowed_tools` for a wire that has none: only those tools are offered. It costs the cached prefix, but unlike a
 * note to the model it holds.
 */
export function offerAllowedOnly(conversation: Conversation, report: Report): Conversation {
  const choice = conversation.toolChoice;
  if (choice?.type !== 'allowed') return conversation;
  report({ field: 'tool_choice', action: 'translated', from: 'allowed_tools', to: choice.mode });
  const names = new Set(choice.names);
  return {
    ...conversation,
    tools: conversation.tools.filter((tool) => names.has(tool.name)),
    toolChoice: { type: choice.mode },
  };
}
