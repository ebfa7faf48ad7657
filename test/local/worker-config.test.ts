import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readWorkerConfig } from '../../src/local/worker-config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'flux-config-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

test('queues, crons and vars are those of wrangler.toml, and no key in a .env reaches the Worker this way', async () => {
  const file = join(folder, 'wrangler.toml');
  writeFileSync(
    file,
    `name = "gateway"
    compatibility_date = "2026-08-01"
    [vars]
    FLUX_MODE = "observe"
    [assets]
    directory = "files"
    binding = "ASSETS"
    [[durable_objects.bindings]]
    name = "THINGS"
    class_name = "Thing"
    [[migrations]]
    tag = "v1"
    new_sqlite_classes = ["Thing"]
    [[queues.producers]]
    binding = "LOG_QUEUE"
    queue = "log"
    [[queues.consumers]]
    queue = "log"
    max_batch_size = 7
    dead_letter_queue = "dead"
    [triggers]
    crons = ["0 3 * * *"]`,
  );
  writeFileSync(join(folder, '.env'), 'ANTHROPIC_API_KEY=secret');
  writeFileSync(join(folder, '.dev.vars'), 'OPENAI_API_KEY=secret');
  const config = await readWorkerConfig(file);
  expect(config).toMatchObject({
    name: 'gateway',
    crons: ['0 3 * * *'],
    queueBindings: ['LOG_QUEUE'],
    objectClasses: ['Thing'],
  });
  expect(config.options).toMatchObject({
    compatibilityDate: '2026-08-01',
    queueProducers: { LOG_QUEUE: { queueName: 'log' } },
    queueConsumers: { log: { maxBatchSize: 7, deadLetterQueue: 'dead' } },
  });
  expect(config.options.bindings).toEqual({ FLUX_MODE: 'observe' });
  // No router in front of the Worker: each request would pass it.
  expect(config.options.assets).toBeUndefined();
  expect(config.options.serviceBindings).toEqual({ ASSETS: { disk: { path: join(folder, 'files') } } });
}, 60_000);

test('a file that is no configuration is named', async () => {
  const file = join(folder, 'broken.toml');
  writeFileSync(file, 'name = ');
  await expect(readWorkerConfig(file)).rejects.toThrow(`${file} can't be read`);
}, 60_000);
