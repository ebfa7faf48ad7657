import type { Conversation, Message, Tool } from '../conversation.ts';
import type { Report } from '../routing/adaptation.ts';

const WRAPPED = {
  type: 'object',
  properties: { input: { type: 'string', description: 'The whole input, as free text.' } },
  required: ['input'],
  additionalProperties: false,
};

/**
 * Custom tools for models that know functions only: one argument `input` takes the free text. The calls in the
 * history are wrapped alike; those in the answer are unwrapped (unwrap.ts).
 */
export function wrapCustomTools(conversation: Conversation, report: Report): Conversation {
  const { messages, tools } = conversation;
  const isOffered = tools.some(({ custom }) => custom !== undefined);
  const isCalled = messages.some(callsCustom);
  if (!isOffered && !isCalled) return conversation;
  report({ field: 'tools.custom', action: 'translated' });
  return {
    ...conversation,
    tools: isOffered ? tools.map(wrapTool) : tools,
    messages: isCalled ? messages.map(wrapCalls) : messages,
  };
}

function wrapTool({ custom, ...tool }: Tool): Tool {
  return custom === undefined ? tool : { ...tool, parameters: WRAPPED };
}

function callsCustom(message: Message): boolean {
  return (
    message.role === 'assistant' &&
    message.content.some((block) => block.type === 'tool_call' && block.custom === true)
  );
}

function wrapCalls(message: Message): Message {
  if (message.role !== 'assistant' || !callsCustom(message)) return message;
  const content = message.content.map((block) => {
    if (block.type !== 'tool_call' || block.custom !== true) return block;
    const { custom: _custom, ...call } = block;
    return { ...call, arguments: JSON.stringify({ input: block.arguments }) };
  });
  return { ...message, content };
}
