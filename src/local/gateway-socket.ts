import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { StartError } from './start-error.ts';

/** How long the first answer may take: the Worker runs and its stores are up, so this is generous. */
const HEALTH_LIMIT = 30_000;

/** Says at once what would be found out only after everything else has started. */
export async function refuseTakenPort(port: number): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', (error) => reject(portError(port, 'code' in error ? error.code : error.message)));
    probe.listen(port, '127.0.0.1', resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}

function portError(port: number, code: unknown): StartError {
  if (code === 'EADDRINUSE') return portTaken(port);
  return new StartError(`Port ${port} can't be listened on (${code}). Choose another: PORT=8787 npm start`);
}

export function portTaken(port: number): StartError {
  const other = port === 65_535 ? 8787 : port + 1;
  return new StartError(
    `Port ${port} is taken by another program. Stop that, or choose another: PORT=${other} npm start`,
  );
}

/** Waits until `GET /health` says that all is well. @throws StartError with what it says instead */
export async function awaitHealth(url: string): Promise<void> {
  const end = Date.now() + HEALTH_LIMIT;
  for (;;) {
    const response = await fetch(`${url}/health`, { signal: AbortSignal.timeout(5000) }).catch((error) =>
      String(error),
    );
    if (response instanceof Response && response.ok) return;
    // A 503 is a store that is not there yet; any other refusal stays.
    const final = response instanceof Response && response.status !== 503;
    if (final || Date.now() > end) {
      const answer = response instanceof Response ? `${response.status} ${await response.text()}` : response;
      throw new StartError(`The Worker runs, but ${url}/health answers: ${answer.slice(0, 500)}`);
    }
    await sleep(100);
  }
}

/** Which of these paths there are. */
export async function pathsThatAnswer(url: string, paths: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    paths.map(async (path) => {
      const response = await fetch(url + path, { signal: AbortSignal.timeout(5000) }).catch(() => null);
      return response?.ok ? [path] : [];
    }),
  );
  return found.flat();
}
