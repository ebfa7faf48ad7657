import type { Answer, AnswerEvent } from '../../../src/core/answer.ts';
import type { AssistantBlock } from '../../../src/core/conversation.ts';

/** What a streamed answer adds up to; text is joined, calls follow it. */
export function assemble(events: readonly AnswerEvent[]): Omit<Answer, 'serviceTier'> {
  const whole: Omit<Answer, 'serviceTier'> = { id: '', model: '', blocks: [], stop: 'stop' };
  const said = { text: '', refusal: '' };
  const calls: Extract<AssistantBlock, { type: 'tool_call' }>[] = [];
  for (const event of events) {
    switch (event.type) {
      case 'start':
        whole.id = event.id;
        whole.model = event.model;
        if (event.usage !== undefined) whole.usage = event.usage;
        break;
      case 'text':
      case 'refusal':
        said[event.type] += event.text;
        break;
      case 'block':
        whole.blocks.push(event.block);
        break;
      case 'tool_call':
        if (event.index !== calls.length) throw new Error(`call ${event.index} out of turn`);
        calls.push({
          type: 'tool_call',
          id: event.id,
          name: event.name,
          arguments: '',
          ...(event.custom === true ? { custom: true } : {}),
        });
        break;
      case 'tool_arguments': {
        const call = calls[event.index];
        if (call === undefined) throw new Error(`arguments of no call: ${event.index}`);
        call.arguments += event.delta;
        break;
      }
      case 'usage':
        whole.usage = event.usage;
        break;
      case 'stop':
        whole.stop = event.reason;
        if (event.stopSequence !== undefined) whole.stopSequence = event.stopSequence;
        break;
      case 'error':
        throw new Error(event.message);
    }
  }
  if (said.text !== '') whole.blocks.push({ type: 'text', text: said.text });
  if (said.refusal !== '') whole.blocks.push({ type: 'refusal', text: said.refusal });
  whole.blocks.push(...calls);
  return whole;
}
