import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { z } from 'zod';
import { serveControl } from './control.ts';
import type { SimulatorOptions } from './options.ts';
import { readFlags, USAGE } from './options.ts';
import type { ScriptEntry } from './script.ts';
import { scriptFile } from './script.ts';
import { Simulator } from './simulator.ts';
import { sendJson } from './wire.ts';

/** Simulated providers that listen. */
export interface RunningSimulators {
  /** Base URL of Anthropic; OpenAI's is this with `/v1`. */
  url: string;
  /** Stops listening and drops open connections. */
  close(): Promise<void>;
}

/**
 * Starts both simulated providers on one loopback port.
 *
 * @example
 * const simulators = await startSimulators({ startAt: Date.parse('2026-11-23T12:00:00Z') });
 * const claude = new Anthropic({ apiKey: 'sk-test', baseURL: simulators.url });
 * const openai = new OpenAI({ apiKey: 'sk-test', baseURL: `${simulators.url}/v1` });
 * await simulators.close();
 */
export async function startSimulators(options: SimulatorOptions = {}): Promise<RunningSimulators> {
  const simulator = new Simulator(options);
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://localhost');
    const served = url.pathname.startsWith('/control/')
      ? serveControl(simulator, request, response, url)
      : simulator.serve(request, response, url);
    served.catch((error: unknown) => {
      // A client that breaks off while it still sends is no fault of ours.
      if (response.destroyed || request.destroyed) return;
      console.error('simulated providers:', error);
      if (response.headersSent) response.destroy();
      else sendJson(response, 500, { error: { message: 'The simulator itself failed; see its log.' } });
    });
  });
  // A long silence is something tests ask for.
  server.requestTimeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port ?? 0, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function readScript(path: string): Promise<ScriptEntry[]> {
  const read = scriptFile.safeParse(JSON.parse(await readFile(path, 'utf8')));
  if (!read.success) throw new Error(`${path}: ${z.prettifyError(read.error)}`);
  return read.data;
}

async function main(): Promise<void> {
  const { options, scriptPath } = readFlags(process.argv.slice(2));
  const script = scriptPath === undefined ? [] : await readScript(scriptPath);
  const running = await startSimulators({ ...options, script });
  console.log(`simulated providers: Anthropic at ${running.url}, OpenAI at ${running.url}/v1`);
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void running.close().then(() => process.exit(0)));
  }
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    const why = error instanceof Error ? error.message : String(error);
    console.error(
      isTaken ? `${why}. Choose another --port, or --port 0 for any free one.` : `${why}\n${USAGE}`,
    );
    process.exitCode = isTaken ? 1 : 2;
  });
}
