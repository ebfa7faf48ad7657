import type { Wire } from '../../src/core/routing/catalog.ts';

type Part = Record<string, unknown>;
interface Body {
  messages?: Part[];
  input?: Part[];
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

/** The same body as clients send it that write every text as a list of parts: the readers' fast ways end there. */
export function inParts(wire: Wire, rawBody: string): string {
  const body: Body = JSON.parse(rawBody);
  switch (wire) {
    case 'openai-chat':
      for (const message of body.messages ?? []) inOnePart(message, 'content', 'text');
      break;
    case 'anthropic-messages':
      for (const message of body.messages ?? []) {
        inOnePart(message, 'content', 'text');
        for (const block of Array.isArray(message.content) ? message.content : []) {
          if (block.type !== 'tool_result') continue;
          inOnePart(block, 'content', 'text');
          block.is_error = false;
        }
      }
      break;
    case 'openai-responses':
      for (const item of body.input ?? []) {
        inOnePart(item, 'content', item.role === 'assistant' ? 'output_text' : 'input_text');
        inOnePart(item, 'output', 'input_text');
      }
  }
  return JSON.stringify(body);
}

function inOnePart(holder: Part, name: string, type: string): void {
  const text = holder[name];
  if (isText(text)) holder[name] = [{ type, text }];
}
