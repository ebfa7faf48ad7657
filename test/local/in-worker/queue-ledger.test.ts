import type { Message, MessageBatch, Queue } from '@cloudflare/workers-types';
import { beforeEach, expect, test } from 'vitest';
import { QueueLedger } from '../../../src/local/in-worker/queue-ledger.ts';

/** A queue that hands over what was sent when told to, as a batch. */
let sent: unknown[];
let full: boolean;
const queue = {
  send: async (body: unknown) => {
    if (full) throw new Error('Too Many Requests');
    sent.push(body);
  },
  sendBatch: async (messages: Iterable<{ body: unknown }>) => {
    for (const { body } of messages) sent.push(body);
  },
} as unknown as Queue;

let ledger: QueueLedger;
let producer: Queue;
beforeEach(() => {
  sent = [];
  full = false;
  ledger = new QueueLedger();
  producer = ledger.producer('LOG_QUEUE', queue);
});

function batch(): MessageBatch {
  const messages = sent.map((body, i) => ({
    id: String(i),
    body,
    attempts: 1,
    timestamp: new Date(),
    ack() {},
    retry() {},
  }));
  // The ledger uses no more of a batch than this.
  return { queue: 'q', messages, ackAll() {}, retryAll() {} } as unknown as MessageBatch;
}
const heldBodies = () => ledger.list().map(({ body }) => body);

test('a message is held from send to the end of its consumer, which sees the message itself', async () => {
  await producer.send({ a: 1 });
  expect(ledger.list()).toMatchObject([{ binding: 'LOG_QUEUE', body: { a: 1 } }]);
  await ledger.deliver(batch(), ({ messages }) => {
    expect(messages.map(({ body }) => body)).toEqual([{ a: 1 }]);
    expect(heldBodies()).toEqual([{ a: 1 }]);
  });
  expect(ledger.list()).toEqual([]);
});

test('a text stays a text on its way, and is one to its consumer', async () => {
  const text = '[{"a":1}]\nand more';
  await producer.send(text, { contentType: 'text' });
  await producer.sendBatch([{ body: '', contentType: 'text' }, { body: { b: 2 } }]);
  expect(sent.map((body) => typeof body)).toEqual(['string', 'string', 'object']);
  expect(heldBodies()).toEqual([text, '', { b: 2 }]);
  await ledger.deliver(batch(), ({ messages }) => {
    expect(messages.map(({ body }) => body)).toEqual([text, '', { b: 2 }]);
  });
  expect(ledger.list()).toEqual([]);
});

test('one that the queue refused is not held', async () => {
  full = true;
  await expect(producer.send('a')).rejects.toThrow('Too Many Requests');
  expect(ledger.list()).toEqual([]);
});

test.each<[string, (messages: readonly Message[], batch: MessageBatch) => void, string[]]>([
  ['nothing said: all taken', () => {}, []],
  ['one retried', ([first]) => first?.retry(), ['a']],
  ['all retried', (_, all) => all.retryAll(), ['a', 'b']],
  [
    'all retried but one taken',
    ([first], all) => {
      first?.ack();
      all.retryAll();
    },
    ['b'],
  ],
])('%s', async (_name, consume, left) => {
  await producer.sendBatch([{ body: 'a' }, { body: 'b' }]);
  await ledger.deliver(batch(), (given) => consume(given.messages, given));
  expect(heldBodies()).toEqual(left);
});

test('a consumer that dies half-way leaves what it had not taken', async () => {
  await producer.sendBatch([{ body: 'a' }, { body: 'b' }]);
  const dying = ledger.deliver(batch(), ({ messages }) => {
    messages[0]?.ack();
    throw new Error('died');
  });
  await expect(dying).rejects.toThrow('died');
  expect(heldBodies()).toEqual(['b']);
});

test('a delay counts from the send, and anew from a retry', async () => {
  await producer.send('soon');
  await producer.send('late', { delaySeconds: 900 });
  const now = Date.now();
  expect(ledger.countDue(now + 1000)).toBe(1);
  expect(ledger.countDue(now + 901_000)).toBe(2);
  await ledger.deliver(batch(), (given) => given.retryAll({ delaySeconds: 300 }));
  expect(ledger.countDue(now + 1000)).toBe(0);
  expect(ledger.countDue(now + 301_000)).toBe(2);
});

test('what could not be kept over a restart is refused', async () => {
  await expect(producer.send('a', { contentType: 'v8' })).rejects.toThrow(/text and JSON messages only/);
});
