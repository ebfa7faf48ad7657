import type { AnswerEvent } from './answer.ts';
import type { AssistantBlock } from './conversation.ts';

/** The answer that a stream's events make, block by block in the order they began. */
export interface AnswerAssembly {
  take(event: AnswerEvent): void;
  readonly blocks: AssistantBlock[];
}

export function assembleAnswer(): AnswerAssembly {
  const blocks: AssistantBlock[] = [];
  const calls = new Map<number, Extract<AssistantBlock, { type: 'tool_call' }>>();
  const say = (type: 'text' | 'refusal', text: string): void => {
    const last = blocks.at(-1);
    if (last?.type === type) last.text += text;
    else blocks.push({ type, text });
  };
  return {
    blocks,
    take(event) {
      if (event.type === 'text' || event.type === 'refusal') say(event.type, event.text);
      else if (event.type === 'block') blocks.push(event.block);
      else if (event.type === 'tool_call') {
        const call = {
          ...{ type: 'tool_call' as const, id: event.id, name: event.name, arguments: '' },
          ...(event.custom ? { custom: true as const } : {}),
        };
        calls.set(event.index, call);
        blocks.push(call);
      } else if (event.type === 'tool_arguments') {
        const call = calls.get(event.index);
        if (call) call.arguments += event.delta;
      }
    },
  };
}
