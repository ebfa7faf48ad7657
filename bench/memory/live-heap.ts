import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

/** The Worker's own isolate among those that workerd's inspector lists: not Miniflare's, nor the Durable Objects'. */
const WORKER = /^core:user:/;
const LIMIT_MS = 30_000;

const targets = z.array(z.object({ id: z.string(), webSocketDebuggerUrl: z.string() }));
const reply = z.object({ id: z.number(), result: z.object({ usedSize: z.number().optional() }).optional() });

/**
 * Bytes that the Worker holds in its heap once all garbage is collected. What lies in the heap besides tells of the
 * collector's leisure only.
 * @param port of workerd's inspector (FLUX_INSPECTOR_PORT)
 */
export async function readLiveHeap(port: number): Promise<number> {
  const list = targets.parse(await (await fetch(`http://127.0.0.1:${port}/json`)).json());
  const url = list.find(({ id }) => WORKER.test(id))?.webSocketDebuggerUrl;
  if (url === undefined) throw new Error('the inspector does not list the Worker');
  const socket = new WebSocket(url);
  const late = AbortSignal.timeout(LIMIT_MS);
  const waiting = new Map<number, (usedSize: number | undefined) => void>();
  let asked = 0;
  const ask = (method: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      asked += 1;
      waiting.set(asked, resolve);
      late.addEventListener('abort', () => reject(new Error(`the inspector does not answer ${method}`)));
      socket.send(JSON.stringify({ id: asked, method }));
    });
  socket.addEventListener('message', ({ data }) => {
    // Events have no id.
    const { data: answer } = reply.safeParse(JSON.parse(String(data)));
    if (answer) waiting.get(answer.id)?.(answer.result?.usedSize);
  });
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener('open', resolve, { once: true });
      socket.addEventListener('error', () => reject(new Error('the inspector can not be reached')));
    });
    await ask('HeapProfiler.enable');
    await ask('HeapProfiler.collectGarbage');
    // What the first collection let go of natively, the second frees.
    await sleep(50);
    await ask('HeapProfiler.collectGarbage');
    const used = await ask('Runtime.getHeapUsage');
    if (used === undefined) throw new Error('the inspector does not say how much is used');
    return used;
  } finally {
    socket.close();
  }
}
