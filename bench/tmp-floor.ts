import { setTimeout as sleep } from 'node:timers/promises';
import { convertV4MiniflareOptions, Log, LogLevel, Miniflare } from 'miniflare';
import { findParts, readMemory } from './memory/processes.ts';
import { readStream } from './slow-clients/client.ts';
import { startProvider } from './slow-clients/provider.ts';

const provider = await startProvider(200);
const mode = process.argv[2];

const head = `export default { async fetch(request, env, ctx) { const u=new URL(request.url); const body = await request.text(); const a = await fetch('${provider.url}'+u.pathname, {method:'POST', body});
  const {readable, writable} = new IdentityTransformStream(); `;
const tail = `return new Response(readable, a); } }`;
const scripts = {
  pass: `export default { async fetch(request) { const u=new URL(request.url); const body = await request.text(); const a = await fetch('${provider.url}'+u.pathname, {method:'POST', body}); return new Response(a.body, a); } }`,
  pipe: head + `ctx.waitUntil(a.body.pipeTo(writable).catch(()=>{}));` + tail,
  loop:
    head +
    `const w = writable.getWriter(); const r = a.body.getReader({mode:'byob'}); ctx.waitUntil((async()=>{ let buf = new Uint8Array(4096); for(;;){ const {done, value} = await r.read(buf); if(done) break; buf=new Uint8Array(value.buffer); await w.write(value);} await w.close(); })().catch(()=>{}));` +
    tail,
  big:
    head +
    `const w = writable.getWriter(); const r = a.body.getReader({mode:'byob'}); ctx.waitUntil((async()=>{ let buf = new Uint8Array(65536); for(;;){ const {done, value} = await r.read(buf); if(done) break; buf=new Uint8Array(value.buffer); await w.write(value);} await w.close(); })().catch(()=>{}));` +
    tail,
  atleast:
    head +
    `const w = writable.getWriter(); const r = a.body.getReader({mode:'byob'}); ctx.waitUntil((async()=>{ let buf = new Uint8Array(32768); for(;;){ const {done, value} = await r.readAtLeast(16384, buf); if(value && value.byteLength) await w.write(value); if(done) break; buf=new Uint8Array(value.buffer); } await w.close(); })().catch(()=>{}));` +
    tail,
  write:
    head +
    `a.body.cancel(); const w = writable.getWriter(); const buf = new Uint8Array(4096); ctx.waitUntil((async()=>{ for(let i=0;i<2560;i++){ await w.write(buf);} await w.close(); })().catch(()=>{}));` +
    tail,
  read:
    head +
    `const r = a.body.getReader({mode:'byob'}); ctx.waitUntil((async()=>{ let buf = new Uint8Array(4096); for(;;){ const {done, value} = await r.read(buf); if(done) break; buf=new Uint8Array(value.buffer); } writable.close();})().catch(()=>{}));` +
    tail,
};
const script = scripts[mode as keyof typeof scripts];
const mf = new Miniflare(
  convertV4MiniflareOptions({
    host: '127.0.0.1',
    port: 0,
    cf: false,
    telemetry: { enabled: false },
    logRequests: false,
    log: new Log(LogLevel.WARN),
    workers: [
      {
        name: 'p',
        compatibilityDate: '2026-08-01',
        modules: [{ type: 'ESModule', path: 'worker.js', contents: script }],
        unsafeDirectSockets: [{ host: '127.0.0.1', port: 0 }],
      },
    ],
  }),
);
await mf.ready;
const { origin } = await mf.unsafeGetDirectURL('p');
const parts = findParts(process.pid);
const rss = () => readMemory(parts).get('workerd') ?? 0;
const read = (s: number) =>
  readStream({ url: origin, key: 'x', path: '/v1/audio/speech', model: 'm', session: null }, s);
if (process.argv[3] !== 'cold')
  for (let i = 0; i < 50; i += 10)
    await Promise.all(Array.from({ length: 10 }, () => read(Number.POSITIVE_INFINITY)));
await sleep(1000);
const idle = rss();
let peak = idle;
const t = setInterval(() => {
  peak = Math.max(peak, rss());
}, 200);
await Promise.all(Array.from({ length: 100 }, () => read(8)));
clearInterval(t);
console.log(mode, process.argv[3] ?? '', { idle: idle >> 20, peak: peak >> 20, over: (peak - idle) >> 20 });
await mf.dispose();
provider.close();
