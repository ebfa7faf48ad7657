import { WorkerEntrypoint } from 'cloudflare:workers';
let n = 0, aborted = 0, cancelled=0;
export default {
  async fetch(req, env, ctx) {
    const u = new URL(req.url);
    if (u.pathname === '/count') return Response.json({ n, aborted, cancelled, host: req.headers.get('host') });
    if (u.pathname === '/send') { await env.LOG_QUEUE.send({ a: 1 }); return new Response('ok'); }
    if (u.pathname === '/stream') {
      req.signal.addEventListener('abort', () => { aborted++; });
      let i = 0;
      return new Response(new ReadableStream({ async pull(c) { await new Promise(r => setTimeout(r, 200)); c.enqueue(new TextEncoder().encode('data: ' + i++ + '\n\n')); if (i > 20) c.close(); }, cancel() { cancelled++; } }), { headers: { 'content-type': 'text/event-stream' } });
    }
    return new Response('hi');
  },
  async queue(b) { n += b.messages.length; console.log('queue', b.queue, b.messages.length); },
  async scheduled(e) { console.log('cron', e.cron, e.scheduledTime); },
};
export class LocalControl extends WorkerEntrypoint { async fetch(r) { return Response.json({ control: true, n }); } }
