import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { LocalStack } from '../../src/local/stack.ts';
import { startPrepared } from '../prepared.ts';

/** The real Worker with simulated providers: what a stream looks like from outside, and what a stop does to it. */
let folder: string;
let stack: LocalStack;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flux-streaming-'));
  stack = await startPrepared({ variables: { PORT: '0', FLUX_DATA_DIR: folder } });
}, 90_000);
afterAll(async () => {
  await stack.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function script(entry: unknown): Promise<void> {
  const response = await fetch(`${stack.simulatorUrl}/control/script`, {
    method: 'POST',
    body: JSON.stringify([entry]),
  });
  if (!response.ok) throw new Error(await response.text());
}

async function openStream(): Promise<ReadableStreamDefaultReader<string>> {
  const response = await fetch(`${stack.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${stack.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({
      model: 'auto',
      stream: true,
      messages: [{ role: 'user', content: 'Hello there.' }],
    }),
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (!response.ok || reader === undefined) throw new Error(`${response.status}`);
  return reader;
}

async function readUntil(reader: ReadableStreamDefaultReader<string>, pattern: RegExp): Promise<string> {
  let read = '';
  while (!pattern.test(read)) {
    const { done, value } = await reader.read();
    if (done) break;
    read += value;
  }
  return read;
}

test('words come as they are made, and a stop waits for the last one', async () => {
  const words = Array.from({ length: 12 }, (_, i) => `word${i}`).join(' ');
  await script({ answer: { text: words }, delay: { between_ms: 100 } });
  const reader = await openStream();
  const begun = await readUntil(reader, /word0/);
  expect(begun).not.toContain('word11');
  const stopping = stack.stop();
  const rest = await readUntil(reader, /\[DONE\]/);
  expect(rest).toContain('word11');
  expect(rest).toContain('[DONE]');
  expect(await stopping).toEqual({ cut: 0 });
});
