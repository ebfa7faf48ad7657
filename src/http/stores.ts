import type { Env, Settings } from '../env.ts';
import { HeldSteps } from '../log/held-steps.ts';
import type { LogStores } from '../log/outbox.ts';
import { writeSteps } from '../log/steps-message.ts';
import { openDatabase } from '../stores/database.ts';
import { openRedis } from '../stores/redis.ts';

// One an isolate: steps that no store has taken yet must outlive their request.
const held = new HeldSteps();
let cached: { settings: Settings; stores: LogStores } | undefined;

/** Messages as text: the queue would parse and write again what goes as JSON, and keep it as objects meanwhile. */
function textQueue(queue: Env['LOG_QUEUE']): LogStores['queue'] {
  return {
    send: (steps, options) => queue.send(writeSteps(steps), { ...options, contentType: 'text' }),
  };
}

/** The stores of this deployment, opened once an isolate; opening connects to nothing. */
export function openStores(env: Env, settings: Settings): LogStores {
  if (cached?.settings !== settings) {
    const stores = {
      queue: textQueue(env.LOG_QUEUE),
      database: openDatabase(settings.databaseUrl),
      redis: openRedis(settings.redis.url, settings.redis.token),
      held,
    };
    cached = { settings, stores };
  }
  return cached.stores;
}
