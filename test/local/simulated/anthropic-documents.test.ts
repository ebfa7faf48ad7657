import Anthropic, { toFile } from '@anthropic-ai/sdk';
import { describe, expect, test } from 'vitest';
import { eventsOf, simulated } from './running.ts';

const sim = simulated();

const pdf = Buffer.from('%PDF-1.7 simulated').toString('base64');
const sources: [name: string, source: Anthropic.DocumentBlockParam['source'], tokens: number][] = [
  ['a PDF in base64', { type: 'base64', media_type: 'application/pdf', data: pdf }, 2_000],
  ['a PDF by URL', { type: 'url', url: 'https://example.com/a.pdf' }, 2_000],
  // 40 characters × 13 / 40.
  ['plain text', { type: 'text', media_type: 'text/plain', data: 'x'.repeat(40) }, 13],
];
const ask = (...content: Anthropic.ContentBlockParam[]): Anthropic.MessageParam => ({
  role: 'user',
  content,
});
const question: Anthropic.TextBlockParam = { type: 'text', text: 'Sum it up' };
const params = { model: 'claude-opus-4-8', max_tokens: 500 };
const document = (
  source: Anthropic.DocumentBlockParam['source'],
  more: object = {},
): Anthropic.DocumentBlockParam => ({ type: 'document', source, ...more });

describe('documents', () => {
  test.each(sources)('%s, in a message and in a tool result', async (_name, source, tokens) => {
    const count = async (...content: Anthropic.ContentBlockParam[]) =>
      (await sim.claude.messages.countTokens({ model: params.model, messages: [ask(...content)] }))
        .input_tokens;
    const alone = await count(question);
    expect((await count(document(source), question)) - alone).toBe(tokens);
    const call = { type: 'tool_use' as const, id: 'toolu_1', name: 'read', input: {} };
    const message = await sim.claude.messages.create({
      ...params,
      messages: [
        ask(question),
        { role: 'assistant', content: [call] },
        ask({ type: 'tool_result', tool_use_id: 'toolu_1', content: [document(source)] }),
      ],
    });
    expect(message.usage.input_tokens).toBeGreaterThan(tokens);
  });

  test("by file id, which must be one of this key's (traps T56)", async () => {
    const { id } = await sim.claude.files.upload({ file: await toFile(Buffer.from('%PDF-1.7'), 'a.pdf') });
    const messages = [ask(document({ type: 'file', file_id: id }), question)];
    expect((await sim.claude.messages.create({ ...params, messages })).stop_reason).toBe('end_turn');
    const other = new Anthropic({ apiKey: 'sk-other', baseURL: sim.url, maxRetries: 0 });
    await expect(other.messages.create({ ...params, messages })).rejects.toThrow(Anthropic.NotFoundError);
  });
});

const text = document({ type: 'text', media_type: 'text/plain', data: 'Rome is the capital of Italy.' });
const cite = { citations: { enabled: true } };

describe('citations', () => {
  test.each<[string, Anthropic.ContentBlockParam, object]>([
    [
      'characters of a text',
      { ...text, ...cite, title: 'Rome' },
      {
        type: 'char_location',
        cited_text: 'Rome is the capital of Italy.',
        document_index: 0,
        document_title: 'Rome',
        start_char_index: 0,
        end_char_index: 29,
      },
    ],
    [
      'pages of a PDF',
      document({ type: 'base64', media_type: 'application/pdf', data: pdf }, cite),
      { type: 'page_location', start_page_number: 1, end_page_number: 2, document_title: null },
    ],
    [
      'blocks of content',
      document({ type: 'content', content: [{ type: 'text', text: 'One' }] }, cite),
      { type: 'content_block_location', cited_text: 'One', start_block_index: 0, end_block_index: 1 },
    ],
    [
      'a search result',
      { type: 'search_result', source: 'https://a', title: 'A', content: [question], ...cite },
      { type: 'search_result_location', source: 'https://a', title: 'A', cited_text: 'Sum it up' },
    ],
  ])('an answer cites %s where it may, and the citation goes back', async (_name, block, citation) => {
    const messages = [ask(block, question)];
    const message = await sim.claude.messages.create({ ...params, messages });
    const cited = message.content.at(-1);
    expect(cited).toMatchObject({ type: 'text', citations: [citation] });
    const stream = sim.claude.messages.stream({ ...params, messages });
    expect((await stream.finalMessage()).content).toMatchObject(message.content);
    const again = await sim.claude.messages.create({
      ...params,
      // Answers are sent back as they came.
      messages: [
        ...messages,
        { role: 'assistant', content: message.content as Anthropic.ContentBlockParam[] },
        ask(question),
      ],
    });
    expect(again.stop_reason).toBe('end_turn');
  });

  test('none where they are off; a script gives its own, after the text in a stream', async () => {
    const off = await sim.claude.messages.create({ ...params, messages: [ask(text, question)] });
    expect(off.content).toMatchObject([{ citations: null }]);
    const citations = [{ type: 'char_location', cited_text: 'Rome' }];
    await sim.script({ answer: { parts: [{ type: 'text', text: 'It is Rome.', citations }] } });
    const response = await sim.post('/v1/messages', {
      ...params,
      stream: true,
      messages: [ask({ ...text, ...cite }, question)],
    });
    const kinds = (await eventsOf(response)).flatMap(([, data]) => {
      const { delta } = data as { delta?: { type?: string } };
      return delta?.type === undefined ? [] : [delta.type];
    });
    expect(kinds).toEqual(['text_delta', 'text_delta', 'text_delta', 'citations_delta']);
  });
});

const refused: [rule: string, content: object[], message: RegExp, fields?: object][] = [
  [
    'a document over http',
    [document({ type: 'url', url: 'http://a/b.pdf' })],
    /document\.source\.url\.url: Only HTTPS/,
  ],
  [
    'a PDF that is no base64',
    [document({ type: 'base64', media_type: 'application/pdf', data: 'no!' })],
    /document\.source\.base64\.data: Invalid base64 data/,
  ],
  [
    'a PDF of another kind',
    [{ type: 'document', source: { type: 'base64', media_type: 'image/png', data: pdf } }],
    /media_type: Input should be 'application\/pdf'/,
  ],
  [
    'an image over http inside a document',
    [document({ type: 'content', content: [{ type: 'image', source: { type: 'url', url: 'http://a' } }] })],
    /document\.source\.content\.0\.image\.source\.url\.url: Only HTTPS/,
  ],
  ['citations of one document only', [{ ...text, ...cite }, text], /enabled for all `document` blocks/],
  [
    'citations with a format',
    [{ ...text, ...cite }],
    /cannot be used with citations/,
    {
      output_config: {
        format: {
          type: 'json_schema',
          schema: { type: 'object', properties: {}, additionalProperties: false },
        },
      },
    },
  ],
  ['an unknown field', [{ ...text, pages: [1] }], /document\.pages: Extra inputs are not permitted/],
];

test.each(refused)('refuses %s', async (_rule, content, message, fields = {}) => {
  const body = { ...params, messages: [{ role: 'user', content: [...content, question] }], ...fields };
  const response = await sim.post('/v1/messages', body);
  expect(await response.json()).toMatchObject({ error: { message: expect.stringMatching(message) } });
  expect(response.status).toBe(400);
});
