import { defineConfig } from 'vitest/config';
import { SlowestFirst } from './test/slowest-first.ts';

/** Files that leave nothing behind in their process: one process does many, and reads what they import once. */
const SHARED = [
  'test/core/**/*.test.ts',
  'test/cli/replay/*.test.ts',
  'test/cli/{config-edit,dlq,keys,migrate}.test.ts',
  'test/customers/*.test.ts',
  // That one fakes all timers.
  'test/http/!(client-line).test.ts',
  'test/local/{redis,simulated}/*.test.ts',
  'test/log/**/*.test.ts',
  'test/pipeline/{infra,prepare,provider-error,step,thoughts,wire-request}.test.ts',
  'test/providers/!(long-bodies).test.ts',
  'test/traps/*.test.ts',
];

export default defineConfig({
  test: {
    globalSetup: ['test/run-folder.ts'],
    reporters: ['default', './test/plain-line.ts'],
    pool: 'forks',
    // More than processors: many files wait, for a store that is down or a stack that starts.
    maxWorkers: 3,
    sequence: { sequencer: SlowestFirst },
    // Seconds where the machine is theirs; others may work beside.
    testTimeout: 60_000,
    hookTimeout: 90_000,
    projects: [
      { extends: true, test: { name: 'shared', include: SHARED, isolate: false } },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/**/*.test.ts'],
          exclude: SHARED,
        },
      },
    ],
  },
});
