/** The requests of the bench, by name. All ask for `auto`, which only the Worker understands. */
export const BODIES: Readonly<Record<string, string>> = {
  small: write({ messages: [{ role: 'user', content: 'What is the capital of France?' }] }),
  tools_8kb: write({ messages: talk(1_500), tools: tools(5_000) }),
  conversation_200kb: write({ messages: talk(200_000) }),
  stream_200: write({
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    stream: true,
  }),
};

/** A body of `bytes`: an image, for no model reads as much text. */
export function bodyOf(bytes: number): string {
  const url = `data:image/png;base64,iVBORw0KGgo${'A'.repeat(4 * Math.floor(bytes / 4) + 1)}`;
  return write({ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }] });
}

function write(rest: object): string {
  return JSON.stringify({ model: 'auto', ...rest });
}

/** Turns of about 800 characters with code in them, as agents send them; the last is a user's. */
function talk(size: number): { role: string; content: string }[] {
  const messages = [{ role: 'system', content: 'You are a careful engineer. Answer in short sentences.' }];
  for (let length = 0, at = 0; length < size || at % 2 === 0; at += 1) {
    const content =
      `${at}. The build fails in "src/queue/consumer.ts": it reads a message twice.\n` +
      '```ts\nfor (const message of batch.messages) {\n  await write(message.body);\n  message.ack();\n}\n```\n' +
      'Expected one row a step, found two where the first write timed out. '.repeat(8);
    messages.push({ role: at % 2 === 0 ? 'user' : 'assistant', content });
    length += content.length;
  }
  messages.push({ role: 'user', content: 'Which of these two fixes is the safer one?' });
  return messages;
}

function tools(size: number): object[] {
  const list: object[] = [];
  for (let length = 0; length < size; ) {
    const tool = {
      type: 'function',
      function: {
        name: `search_orders_${list.length}`,
        description: 'Finds orders by customer, state and time. Gives at most fifty, the newest first.',
        parameters: {
          type: 'object',
          properties: {
            customer: { type: 'string', description: 'Id of the customer, as the shop has it.' },
            state: { type: 'string', enum: ['open', 'paid', 'sent', 'returned'] },
            since: { type: 'string', description: 'ISO 8601; orders placed at that time or later.' },
            limit: { type: 'integer', minimum: 1, maximum: 50 },
          },
          required: ['customer'],
          additionalProperties: false,
        },
      },
    };
    list.push(tool);
    length += JSON.stringify(tool).length;
  }
  return list;
}
