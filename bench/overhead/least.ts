import { setTimeout as sleep } from 'node:timers/promises';
import type { Contestant } from './contestant.ts';
import { ownSession, PATH, run } from './workers.ts';

/** A batch of its queue waits so long at most. */
const BATCH_S = 0.5;

/**
 * What no Worker that keeps our contract can do without, and nothing else: a request that is read as JSON and can be
 * given up, an answer whose usage is read, one row of the size of ours on a queue, our headers and our member. No key is
 * checked, nothing is classified, planned, translated or kept, and the queue's consumer does nothing. Its share of the
 * passthrough is more than any router can have.
 * @param keeps an object a session too, which is told before the provider is asked and after: a row each time
 */
export async function startLeast(upstream: number, keeps?: 'sessions'): Promise<Contestant> {
  const name = keeps ? 'least_session' : 'least';
  const script = `
    import { DurableObject } from 'cloudflare:workers';
    export class Session extends DurableObject {
      constructor(state, env) {
        super(state, env);
        state.storage.sql.exec('CREATE TABLE IF NOT EXISTS steps (id TEXT PRIMARY KEY, row TEXT)');
      }
      async begin(id, row) { this.ctx.storage.sql.exec('INSERT INTO steps VALUES (?, ?)', id, row); }
      async settle(id) { this.ctx.storage.sql.exec('DELETE FROM steps WHERE id = ?', id); }
    }
    const row = JSON.stringify({ signals: 'x'.repeat(900) });
    const headers = {
      'x-fluxcompute-request-id': 'r', 'x-fluxcompute-model': 'small', 'x-fluxcompute-tier': 'easy',
      'x-fluxcompute-reason': 'floor', 'x-fluxcompute-session': 's',
    };
    // Rows of 25 ms share one message, as ours do.
    const held = [];
    export default {
      async fetch(request, env, ctx) {
        const text = await request.text();
        const { stream, model } = JSON.parse(text);
        const id = crypto.randomUUID();
        const session = request.headers.get('x-fluxcompute-session');
        const object = session && env.SESSIONS.getByName(session);
        if (object) await object.begin(id, row);
        const giveUp = new AbortController();
        const timer = setTimeout(() => giveUp.abort(), 600000);
        const answer = await fetch('http://127.0.0.1:${upstream}${PATH}', {
          method: 'POST',
          headers: { 'content-type': 'application/json', authorization: 'Bearer sk-bench' },
          body: text,
          signal: giveUp.signal,
        });
        const log = async (usage) => {
          if (object) ctx.waitUntil(object.settle(id));
          held.push({ row, usage, model });
          if (held.length > 1) return;
          await new Promise((resolve) => setTimeout(resolve, 25));
          await env.LOG.send(held.splice(0));
        };
        if (stream !== true) {
          const raw = await answer.text();
          clearTimeout(timer);
          ctx.waitUntil(log(JSON.parse(raw).usage));
          const body = raw.slice(0, raw.lastIndexOf('}')) + ',"fluxcompute":{"cost_usd":0.1}}';
          return new Response(body, { headers: { ...headers, 'content-type': 'application/json' } });
        }
        const { readable, writable } = new IdentityTransformStream();
        const copy = async () => {
          const writer = writable.getWriter();
          const decoder = new TextDecoder();
          let usage = null;
          for await (const bytes of answer.body) {
            const chunk = decoder.decode(bytes, { stream: true });
            if (chunk.includes('"usage"')) usage = chunk.slice(-400);
            await writer.write(bytes);
          }
          await writer.close();
          clearTimeout(timer);
          await log(usage);
        };
        ctx.waitUntil(copy());
        return new Response(readable, { headers: { ...headers, 'content-type': 'text/event-stream' } });
      },
      async queue() {},
    };`;
  const { miniflare, pid } = await run({
    name,
    compatibilityDate: '2026-08-01',
    durableObjects: { SESSIONS: { className: 'Session', useSQLite: true } },
    modules: [{ type: 'ESModule', path: 'worker.js', contents: script }],
    queueProducers: { LOG: name },
    queueConsumers: { [name]: { maxBatchTimeout: BATCH_S } },
    unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
  });
  const { port } = await miniflare.unsafeGetDirectURL(name);
  return {
    name,
    target: { port: Number(port), path: PATH, headers: {} },
    ...(keeps ? { own: ownSession } : {}),
    pid,
    skips: {},
    settle: () => sleep(BATCH_S * 1_000 + 250),
    stop: () => miniflare.dispose(),
  };
}
