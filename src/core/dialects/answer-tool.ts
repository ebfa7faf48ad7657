import type { Conversation } from '../conversation.ts';
import type { Report } from '../routing/adaptation.ts';
import { parameterSchema } from './tool-schema.ts';

/**
 * Structured output where the model has none of its own: a tool takes the answer, and the model has to call it, or
 * one of the client's. What it is called with is the answer (unwrap.ts), and is checked against the schema.
 *
 * @returns the tool's name; null where the client forces a call of its own, so that no such answer is awaited
 */
export function forceAnswerTool(
  conversation: Conversation,
  report: Report,
): { conversation: Conversation; name: string | null } {
  const { format, ...output } = conversation.output;
  if (format?.type !== 'json_schema') return { conversation, name: null };
  report({ field: 'response_format', action: 'translated', to: 'tool' });
  const { tools, toolChoice } = conversation;
  const isForced =
    toolChoice?.type === 'required' ||
    toolChoice?.type === 'tool' ||
    (toolChoice?.type === 'allowed' && toolChoice.mode === 'required');
  if (isForced && tools.length > 0) return { conversation: { ...conversation, output }, name: null };
  let name = 'final_answer';
  while (tools.some((tool) => tool.name === name)) name += '_';
  const answer = {
    name,
    description: `Give the final answer with this tool.${format.description === undefined ? '' : ` ${format.description}`}`,
    parameters: parameterSchema(format.schema),
  };
  const callable = tools.length > 0 && toolChoice?.type !== 'none';
  const names = toolChoice?.type === 'allowed' ? toolChoice.names : null;
  return {
    name,
    conversation: {
      ...conversation,
      output,
      tools: [...tools, answer],
      toolChoice: !callable
        ? { type: 'tool', name }
        : names === null
          ? { type: 'required' }
          : { type: 'allowed', mode: 'required', names: [...names, name] },
      // An answer and a call of another tool in one turn would contradict each other.
      parallelToolCalls: false,
    },
  };
}
