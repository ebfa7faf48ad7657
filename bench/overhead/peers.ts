import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Contestant } from './contestant.ts';

const run = promisify(execFile);
const PORTKEY = '@portkey-ai/gateway@1.15.2';
const LITELLM = 'litellm[proxy]';
const PATH = '/v1/chat/completions';
const INSTALL_MS = 10 * 60_000;
const START_MS = 90_000;
/** Neither needs a key of ours: the upstream takes any. */
const AUTHORIZATION = { authorization: 'Bearer sk-bench' };
/** 1.15.2 on Node appends to the headers of fetch's own response: TypeError "immutable". */
const NO_STREAMS = "npm's build answers every stream with 500 (TypeError: immutable)";

/** Portkey's gateway as npm has it, installed into `cache` the first time. */
export async function startPortkey(upstream: number, cache: string): Promise<Contestant> {
  const folder = join(cache, 'portkey');
  const entry = join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  if (!existsSync(entry)) {
    await mkdir(folder, { recursive: true });
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
    await install(`npm could not install ${PORTKEY}`, 'npm', [
      'install',
      '--prefix',
      folder,
      ...flags,
      PORTKEY,
    ]);
  }
  const port = await freePort();
  return peer('portkey', port, spawnQuietly(process.execPath, [entry, `--port=${port}`, '--headless']), {
    headers: {
      ...AUTHORIZATION,
      'x-portkey-provider': 'openai',
      'x-portkey-custom-host': `http://127.0.0.1:${upstream}/v1`,
    },
    skips: { stream_200: NO_STREAMS },
  });
}

/** LiteLLM's proxy, one worker, without its database: installed into `cache` the first time, which takes minutes. */
export async function startLiteLlm(upstream: number, cache: string): Promise<Contestant> {
  const folder = join(cache, 'litellm');
  const command = join(folder, 'bin/litellm');
  if (!existsSync(command)) {
    await install('no python3 with venv on this machine', 'python3', ['-m', 'venv', folder]);
    await install(`pip could not install ${LITELLM}`, join(folder, 'bin/pip'), [
      'install',
      '--quiet',
      LITELLM,
    ]);
  }
  const config = join(folder, 'bench.json');
  const params = { model: 'openai/small', api_base: `http://127.0.0.1:${upstream}/v1`, api_key: 'sk-bench' };
  // JSON is YAML too.
  await writeFile(config, JSON.stringify({ model_list: [{ model_name: 'auto', litellm_params: params }] }));
  const port = await freePort();
  const words = ['--config', config, '--host', '127.0.0.1', '--port', String(port), '--telemetry', 'False'];
  const child = spawnQuietly(command, words, {
    // Else it starts with three tries to fetch prices from elsewhere, and not at all without a key of its own.
    LITELLM_LOCAL_MODEL_COST_MAP: 'True',
    LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY: 'true',
  });
  return peer('litellm', port, child, { headers: AUTHORIZATION, skips: {} });
}

/** @throws Error with the sentence that the result shows in place of a score */
async function install(orElse: string, command: string, args: string[]): Promise<void> {
  try {
    await run(command, args, { timeout: INSTALL_MS });
  } catch {
    throw new Error(orElse);
  }
}

async function peer(
  name: string,
  port: number,
  child: ChildProcess,
  { headers, skips }: { headers: Record<string, string>; skips: Record<string, string> },
): Promise<Contestant> {
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  };
  for (const end = Date.now() + START_MS; ; await sleep(250)) {
    if (await fetch(`http://127.0.0.1:${port}/`).catch(() => undefined)) break;
    if (child.exitCode === null && Date.now() < end) continue;
    await stop();
    throw new Error(`${name} did not come up`);
  }
  return {
    name,
    target: { port, path: PATH, headers },
    pid: child.pid ?? 0,
    skips,
    settle: async () => {},
    stop,
  };
}

/** Without the user's environment: a key in it would be used. */
function spawnQuietly(command: string, args: string[], more: Record<string, string> = {}): ChildProcess {
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, TRUSTED_CUSTOM_HOSTS: '127.0.0.1', ...more };
  const child = spawn(command, args, { env, stdio: 'ignore' });
  child.on('error', () => {});
  return child;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(address !== null && typeof address === 'object' ? address.port : 0));
    });
  });
}
