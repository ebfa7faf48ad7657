import { startLocal } from '../src/local/stack.ts';
const t = performance.now();
const s = await startLocal({ variables: { PORT: '0', FLUX_DATA_DIR: '/tmp/cw/data', ANTHROPIC_API_KEY: 'x', ANTHROPIC_BASE_URL: 'http://127.0.0.1:9' , FLUX_TIERS: process.env.TIERS}, workerEntry: process.env.ENTRY ?? '/work/main/test/local/fixtures/worker.ts', progress: (n, ms) => console.log(n, Math.round(ms), Math.round(performance.now()-t)), output: console.log });
console.log({ ...s, died: null, stop: null });
console.log(await (await fetch(s.url + '/send?text=hi')).text());
console.log(await (await fetch(s.url + '/send?text=later&delay=500')).text());
const t1 = performance.now(); await s.stop(); console.log('stopped', performance.now() - t1);
