import { afterAll, beforeAll, expect, test } from 'vitest';
import { ANSWERS, json, type Reply, sse, startUpstream, type Upstream } from '../providers/upstream.ts';
import { gatewayOf } from './gateway.ts';

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const { start, said, end } = ANSWERS['anthropic-messages'];
const REFUSED = json(400, { type: 'error', error: { type: 'invalid_request_error', message: 'too odd' } });
const STREAMED = sse([...start, ...said, ...end]);
const WHOLE = json(200, {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-haiku-5-5', stop_reason: 'end_turn' },
  ...{ content: [{ type: 'text', text: 'Paris.' }], usage: { input_tokens: 10, output_tokens: 5 } },
});

const messages = [{ role: 'user', content: 'Hi' }];
const STEPS: [string, object][] = [
  ['/v1/chat/completions', { model: 'auto', messages }],
  ['/v1/messages', { model: 'auto', messages, max_tokens: 100 }],
  ['/v1/responses', { model: 'auto', input: 'Hi' }],
];
const ANSWERED: [string, { stream: boolean; reply: Reply; status: number; body?: string; key?: string }][] = [
  ['whole', { stream: false, reply: WHOLE, status: 200 }],
  ['a stream', { stream: true, reply: STREAMED, status: 200 }],
  [
    'a stream that breaks after its first word',
    { stream: true, reply: sse([...start, ...said], 'cut'), status: 200 },
  ],
  ['refused by the provider', { stream: false, reply: REFUSED, status: 400 }],
  ['a stream refused by the provider', { stream: true, reply: REFUSED, status: 400 }],
  ['no JSON', { stream: false, reply: WHOLE, status: 400, body: '{' }],
  ['nothing in it', { stream: false, reply: WHOLE, status: 400, body: '{}' }],
  ['a wrong key', { stream: false, reply: WHOLE, status: 401, key: 'flx_wrong_key' }],
];

test.each(STEPS.flatMap(([path, ask]) => ANSWERED.map(([name, answer]) => ({ path, ask, name, ...answer }))))(
  '$path, $name: the answer names its request once',
  async ({ path, ask, stream, reply, status, body, key }) => {
    upstream.replies = [reply];
    const { request } = gatewayOf({ ANTHROPIC_BASE_URL: upstream.url });
    const init = { method: 'POST', body: body ?? JSON.stringify({ ...ask, stream }) };
    const response = await request(path, init, key);
    const text = await response.text();
    expect(response.status, text).toBe(status);
    // A header that is there twice is one text with a comma in it.
    expect(response.headers.get('x-fluxcompute-request-id')).toMatch(/^[0-9a-f-]{36}$/);
  },
);
