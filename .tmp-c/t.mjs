import { Miniflare, convertV4MiniflareOptions, Log, LogLevel } from 'miniflare';
import { readFileSync } from 'node:fs';
import http from 'node:http';
let t=performance.now();
const mf = new Miniflare(convertV4MiniflareOptions({
  cf: false, telemetry: { enabled: false }, host: '127.0.0.1', port: 0, log: new Log(LogLevel.WARN),
  handleStructuredLogs: (l) => console.log('LOG', JSON.stringify(l)),
  workers: [{ name: 'fluxcompute', compatibilityDate: '2026-08-01', compatibilityFlags: ['nodejs_compat'],
    modules: [{ type: 'ESModule', path: 'worker.js', contents: readFileSync('w.js','utf8') }],
    queueProducers: { LOG_QUEUE: { queueName: 'q' } }, queueConsumers: { q: { maxBatchSize: 100, maxBatchTimeout: 1, maxRetries: 100 } },
    unsafeDirectSockets: [{ host: '127.0.0.1', port: Number(process.env.P ?? 0) }, { host: '127.0.0.1', port: 0, entrypoint: 'LocalControl' }] }],
}));
try { await mf.ready; } catch (e) { console.log('ERR', e.code, e.message.slice(0,300)); await mf.dispose(); process.exit(1); }
console.log('ready', performance.now()-t);
const u = await mf.unsafeGetDirectURL('fluxcompute'); const c = await mf.unsafeGetDirectURL('fluxcompute', 'LocalControl');
console.log(u.href, c.href);
console.log(await (await fetch(u)).text(), await (await fetch(c)).json());
await fetch(new URL('/send', u));
const w = await mf.getWorker('fluxcompute'); console.log(await w.scheduled({ cron: '* * * * *', scheduledTime: new Date(1e12) }));
const q = await mf.getQueueProducer('LOG_QUEUE','fluxcompute'); console.log('metrics', await q.metrics?.());
await new Promise(r => { const s = performance.now(); const req = http.get(new URL('/stream', u), res => { res.on('data', d => { console.log('chunk', Math.round(performance.now()-s), String(d).trim()); if (performance.now()-s > 700) { req.destroy(); r(); } }); }); req.on('error', () => {}); });
for (const d of [300, 1000]) { await new Promise(r => setTimeout(r, d)); console.log(await (await fetch(new URL('/count', u))).json()); }
t=performance.now(); for(let i=0;i<500;i++) await (await fetch(u)).text(); console.log('req/s seq', 500/((performance.now()-t)/1000));
if (process.env.HOLD) await new Promise(r => setTimeout(r, 1e7));
t=performance.now(); await mf.dispose(); console.log('dispose', performance.now()-t);
