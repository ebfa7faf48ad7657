import type {
  DurableObjectNamespace,
  ExecutionContext,
  MessageBatch,
  Queue,
} from '@cloudflare/workers-types';
import { type HeldMessage, QueueLedger } from './queue-ledger.ts';

/** What the local stack adds to the Worker's bindings. */
interface LocalEnv {
  FLUX_LOCAL_TOKEN: string;
}
type Bindings = LocalEnv & Record<string, unknown>;

/** The default export of src/worker.ts. */
interface Handlers {
  fetch?(request: Request, env: Bindings, context: ExecutionContext): Response | Promise<Response>;
  queue?(batch: MessageBatch, env: Bindings, context: ExecutionContext): unknown;
  scheduled?(controller: unknown, env: Bindings, context: ExecutionContext): unknown;
}

// One isolate runs the Worker locally, so this is the whole state.
const ledger = new QueueLedger();
let underWay = 0;
let stopping = false;
let queueBindings: readonly string[] = [];
const prepared = new WeakMap<object, Bindings>();

/**
 * The Worker with what a clean stop needs around it: it counts what is under way, holds what its queues have not
 * delivered, and refuses new requests once the stack stops. The Worker itself is the production one.
 *
 * A request counts until its handler and everything it gave `waitUntil` are done. A body still streaming is not
 * watched (a pipe around it would change what is measured): it is covered by the settling that waits for its end.
 */
export function watch(worker: Handlers, queues: readonly string[]): Required<Handlers> {
  queueBindings = queues;
  return {
    fetch: (request, env, context) =>
      stopping
        ? refusal()
        : count('fetch', () => worker.fetch?.(request, prepare(env), counting(context)) ?? notFound()),
    queue: (batch, env, context) =>
      count('queue', () =>
        ledger.deliver(batch, (unwrapped) => worker.queue?.(unwrapped, prepare(env), counting(context))),
      ),
    scheduled: (controller, env, context) =>
      count('scheduled', () => worker.scheduled?.(controller, prepare(env), counting(context))),
  };
}

type ObjectClass = new (state: never, env: never) => object;

/** A Durable Object whose queues are watched as the Worker's own. */
export function watchObject<C extends ObjectClass>(original: C): C {
  // A mixin's constructor takes what the runtime gives, whatever the class.
  const Original = original as unknown as new (state: unknown, env: Bindings) => object;
  return class extends Original {
    constructor(state: unknown, env: Bindings) {
      super(state, prepare(env));
    }
  } as unknown as C;
}

/** How `npm start` speaks to the Worker: on a socket of its own, never on the gateway's port. */
export const LocalControl = {
  async fetch(request: Request, env: Bindings): Promise<Response> {
    if (request.headers.get('authorization') !== `Bearer ${env.FLUX_LOCAL_TOKEN}`) {
      return new Response(null, { status: 401 });
    }
    const url = new URL(request.url);
    switch (url.pathname) {
      case '/stop':
        stopping = true;
        return Response.json({});
      case '/pending':
        return Response.json({
          requests: underWay,
          messages: ledger.countDue(Number(url.searchParams.get('until'))),
        });
      case '/held':
        return Response.json(ledger.list());
      case '/restore':
        // Written by `/held` of the run before.
        return Response.json(await restore((await request.json()) as HeldMessage[], prepare(env)));
      case '/touch':
        // Sent by gateway.ts.
        return Response.json(await touch((await request.json()) as Touching, env));
      default:
        return notFound();
    }
  },
};

/** The bindings with watched queues; the same object for the same bindings, since the Worker caches by it. */
function prepare(env: Bindings): Bindings {
  const known = prepared.get(env);
  if (known !== undefined) return known;
  const bindings = { ...env };
  // wrangler.toml says that these are queues.
  for (const name of queueBindings) bindings[name] = ledger.producer(name, env[name] as Queue);
  prepared.set(env, bindings);
  return bindings;
}

/** The context itself, whose `waitUntil` counts: a proxy around it would cost each request more than it counts. */
function counting(context: ExecutionContext): ExecutionContext {
  const waitUntil = context.waitUntil.bind(context);
  context.waitUntil = (work) => waitUntil(count('waitUntil', () => work));
  return context;
}

async function count<T>(handler: string, work: () => T | Promise<T>): Promise<T> {
  underWay++;
  try {
    return await work();
  } catch (error) {
    // workerd itself says nothing of it. Where, but not the message: that may quote a request (T48).
    const frames = error instanceof Error ? error.stack?.match(/^ {4}at .*$/gm) : undefined;
    console.error(
      [
        `Uncaught ${error instanceof Error ? error.name : typeof error} in ${handler}`,
        ...(frames ?? []),
      ].join('\n'),
    );
    throw error;
  } finally {
    underWay--;
  }
}

/** Objects that are to be looked at, so that they set their alarms. */
interface Touching {
  binding: string;
  ids: string[];
}

async function touch({ binding, ids }: Touching, env: Bindings): Promise<{ touched: number }> {
  // wrangler.toml says that it is one.
  const namespace = env[binding] as DurableObjectNamespace;
  for (const id of ids) {
    // Every object of ours has it.
    const object = namespace.get(namespace.idFromString(id)) as unknown as { describe(): Promise<unknown> };
    await object.describe();
  }
  return { touched: ids.length };
}

async function restore(messages: HeldMessage[], bindings: Bindings): Promise<{ restored: number }> {
  for (const { binding, body, dueAt } of messages) {
    const delaySeconds = Math.max(0, Math.ceil((dueAt - Date.now()) / 1000));
    // A held message names a binding of wrangler.toml's queues; one removed since is an error worth seeing.
    await (bindings[binding] as Queue).send(body, {
      delaySeconds,
      contentType: typeof body === 'string' ? 'text' : 'json',
    });
  }
  return { restored: messages.length };
}

function notFound(): Response {
  return new Response(null, { status: 404 });
}

function refusal(): Response {
  const message = 'The gateway is stopping. Send the request again once it runs.';
  return Response.json(
    { error: { message, type: 'server_error', param: null, code: 'stopping' } },
    { status: 503, headers: { 'retry-after': '5', connection: 'close' } },
  );
}
