import type { MessageBatch } from '@cloudflare/workers-types';
import { type Env, readSettings } from './env.ts';
import { createApp } from './http/app.ts';
import { openStores } from './http/stores.ts';
import { consumeDead, consumeSteps } from './log/consumer.ts';
import { runMaintenance } from './log/maintenance.ts';

export { BudgetObject } from './budget/budget-object.ts';
export { SessionObject } from './sessions/session-object.ts';

const app = createApp();

export default {
  fetch: app.fetch,
  async queue(batch: MessageBatch<unknown>, env: Env) {
    const stores = openStores(env, readSettings(env));
    // A name ends in -dead in every environment of wrangler.toml.
    await (batch.queue.endsWith('-dead') ? consumeDead(batch, stores) : consumeSteps(batch, stores));
  },
  async scheduled(_controller: unknown, env: Env) {
    await runMaintenance(openStores(env, readSettings(env)));
  },
};
