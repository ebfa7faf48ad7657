import { buildWorker } from './built-worker.ts';
import { answerParent } from './lifeline.ts';

// In a process that ends when it is done: wrangler and esbuild together take 300 MB of memory.
answerParent({ build: buildWorker, stop: async () => {} }, async () => {});
