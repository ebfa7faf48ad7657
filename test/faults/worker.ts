import type { ExecutionContext, MessageBatch, ScheduledController } from '@cloudflare/workers-types';
import type { Env } from '../../src/env.ts';
import worker from '../../src/worker.ts';

export { BudgetObject, SessionObject } from '../../src/worker.ts';

let queueThrows = false;
let asDeadLetters = false;
type Manner = 'work' | 'throw' | 'hang';
/** How each kind of object behaves. */
const manners: Record<'budgets' | 'sessions', Manner> = { budgets: 'work', sessions: 'work' };
const MANNER = /^\/faults\/(budgets|sessions)-(work|throw|hang)$/;
const wrapped = new WeakMap<object, Env>();

/** The Worker's bindings with a queue and budgets that fail when told to; the same object for the same bindings. */
function withFaults(env: Env): Env {
  const known = wrapped.get(env);
  if (known) return known;
  const { LOG_QUEUE: queue } = env;
  const broken: Env = {
    ...env,
    LOG_QUEUE: {
      metrics: () => queue.metrics(),
      send: async (message, options) => {
        // What Cloudflare's queue says above 5,000 messages a second (T47).
        if (queueThrows) throw new Error('Too Many Requests');
        return queue.send(message, options);
      },
      sendBatch: (messages, options) => queue.sendBatch(messages, options),
    },
    // Of the namespace the gateway uses this alone, and of an object methods that give promises.
    BUDGETS: {
      getByName: (name: string) =>
        faulty('budgets', env.BUDGETS?.getByName(name), ['reserve', 'settle', 'standing']),
    } as never,
    SESSIONS: {
      getByName: (name: string) =>
        faulty('sessions', env.SESSIONS?.getByName(name), ['begin', 'settle', 'peek']),
    } as never,
  };
  wrapped.set(env, broken);
  return broken;
}

/** An object that fails on its way, or is never heard of again. */
function faulty(kind: keyof typeof manners, object: unknown, methods: readonly string[]): unknown {
  const manner = manners[kind];
  if (manner === 'work') return object;
  const answer = () =>
    manner === 'hang' ? new Promise(() => {}) : Promise.reject(new Error('Durable Object is overloaded.'));
  return Object.fromEntries(methods.map((name) => [name, answer]));
}

/** The production Worker, with a queue that fails or gives up at will and a scheduled job that can be asked for. */
export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, kind, manner] = MANNER.exec(pathname) ?? [];
    if (kind && manner) {
      // Both are of what the expression takes.
      manners[kind as keyof typeof manners] = manner as Manner;
      return new Response(`${kind} ${manner}`);
    }
    switch (pathname) {
      case '/faults/queue-throws':
        queueThrows = true;
        return new Response('it throws');
      case '/faults/queue-works':
        queueThrows = false;
        return new Response('it works');
      case '/faults/letters-die':
        asDeadLetters = true;
        return new Response('they die');
      case '/faults/letters-live':
        asDeadLetters = false;
        return new Response('they live');
      case '/faults/scheduled':
        await worker.scheduled(null, withFaults(env));
        return new Response('done');
      default:
        return worker.fetch(request, withFaults(env), context as never);
    }
  },
  queue: (batch: MessageBatch<unknown>, env: Env) =>
    worker.queue(asDeadLetters ? { ...batch, queue: `${batch.queue}-dead` } : batch, withFaults(env)),
  scheduled: (controller: ScheduledController, env: Env) => worker.scheduled(controller, withFaults(env)),
};
