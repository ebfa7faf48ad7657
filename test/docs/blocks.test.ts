import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ROW } from '../../src/core/accounting/infra-cost.ts';
import type { LocalStack } from '../../src/local/stack.ts';
import { openDatabase } from '../../src/stores/database.ts';
import { startPrepared } from '../prepared.ts';
import { type Block, blocks, commandsOf, ROOT } from './blocks.ts';
import { rowBytes } from './measure-step.ts';

// Several of these are processes of their own, and others run beside.
vi.setConfig({ testTimeout: 60_000 });

const run = promisify(execFile);
const all = blocks();
const of = (...languages: string[]) =>
  all.filter(({ language }) => languages.includes(language)).map((block) => [block.place, block] as const);

let folder: string;
let stack: LocalStack;
let faultOf: typeof import('./commands.ts').faultOf;
let readConfig: typeof import('wrangler').unstable_readConfig;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'flux-docs-'));
  // wrangler is some megabytes of JavaScript: it is read while the stack's processes start.
  const [started, commands, wrangler] = await Promise.all([
    startPrepared({ variables: { PORT: '0', FLUX_DATA_DIR: join(folder, '.flux') } }),
    import('./commands.ts'),
    import('wrangler'),
  ]);
  stack = started;
  faultOf = commands.faultOf;
  readConfig = wrangler.unstable_readConfig;
  // So that a block finds `openai` as a reader's own project would.
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
});
afterAll(async () => {
  await stack?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** A block as its reader would have it: with their own address and key. */
function filledIn({ code }: Block): string {
  return code.replaceAll('http://127.0.0.1:8787', stack.url).replaceAll('flx_your_key', stack.key);
}

function environment(): Record<string, string> {
  return {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    FLUX_KEY: stack.key,
    FLUX_URL: stack.url,
    DATABASE_URL: stack.databaseUrl,
    UPSTASH_REDIS_REST_URL: stack.redisUrl,
    UPSTASH_REDIS_REST_TOKEN: stack.redisToken,
  };
}

/** The CLI is run in the reader's shell too, though not through npm. */
const FLUX = 'npm run -s flux -- ';

/** What the commands print, pasted into a shell. */
async function paste(commands: string[]): Promise<string> {
  const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', commands.join('\n')], {
    cwd: folder,
    env: environment(),
  });
  return stdout;
}

test('every block says what it is', () => {
  const known = ['sh', 'python', 'ts', 'json', 'toml', 'sql', 'text', ''];
  for (const { place, language, marks } of all) {
    expect(known, place).toContain(language);
    for (const mark of marks) expect(mark, place).toBe('account');
  }
  // A block that lost its language is not run.
  for (const { place, code, language } of all) {
    if (language === '') expect(code, place).not.toMatch(/^(curl|npm|npx|import|SELECT)\b/m);
  }
});

describe('sh', () => {
  test.each(of('sh'))('%s', async (_place, block) => {
    const commands = commandsOf(block.code);
    expect(commands.length).toBeGreaterThan(0);
    const faults = commands.map((command) => faultOf(command));
    for (const fault of faults) expect(fault ?? null).toBeNull();
    if (block.marks.includes('account')) return;
    const runnable = commandsOf(filledIn(block))
      .filter((command, index) => faults[index] === undefined || command.startsWith(FLUX))
      .map((command) => command.replace(FLUX, `${process.execPath} ${join(ROOT, 'src/cli/flux.ts')} `));
    if (runnable.length === 0) return;
    // A curl without --fail succeeds on an error of ours: what it prints tells. A row is there within ten seconds.
    await expect
      .poll(() => paste(runnable), { timeout: 12_000, interval: 500 })
      .not.toMatch(/"error":\{"message"|^$/);
  });
});

describe('ts', () => {
  test.each(of('ts'))('%s', async (place, block) => {
    const file = join(folder, `${place.replaceAll(/\W/g, '-')}.ts`);
    writeFileSync(file, filledIn(block));
    const { stdout } = await run(process.execPath, [file], { cwd: folder, env: environment() });
    expect(stdout.length).toBeGreaterThan(0);
  });
});

const hasPython = spawnSync('python3', ['--version']).status === 0;
const hasClient = hasPython && spawnSync('python3', ['-c', 'import openai']).status === 0;

describe.skipIf(!hasPython)('python', () => {
  test.each(of('python'))('%s', async (place, block) => {
    const file = join(folder, `${place.replaceAll(/\W/g, '-')}.py`);
    writeFileSync(file, filledIn(block));
    if (!hasClient) {
      await run('python3', ['-m', 'py_compile', file], { cwd: folder });
      return;
    }
    const { stdout } = await run('python3', [file], { cwd: folder, env: environment() });
    expect(stdout.length).toBeGreaterThan(0);
  });
});

test.each(of('json'))('json %s', (_place, { code }) => {
  expect(() => JSON.parse(code)).not.toThrow();
});

test.each(of('toml'))('toml %s', (place, { code }) => {
  // As wrangler reads it, which warns of a field it does not know.
  const file = join(folder, `${place.replaceAll(/\W/g, '-')}.toml`);
  writeFileSync(file, code);
  const warned = vi.spyOn(console, 'warn').mockImplementation(() => {});
  try {
    readConfig({ config: file });
    expect(warned.mock.calls.join('\n')).toBe('');
  } finally {
    warned.mockRestore();
  }
});

describe('sql', () => {
  test.each(of('sql'))('%s', async (_place, { code }) => {
    const { $client: client } = openDatabase(stack.databaseUrl);
    for (const statement of code.split(/;\s*$/m).filter((part) => part.trim() !== '')) {
      await client.query(statement);
    }
  });
});

test('a row takes what docs/scale.md reckons with', async () => {
  const { $client: client } = openDatabase(stack.databaseUrl);
  // What the blocks above asked is on its way.
  await expect.poll(() => client.query('SELECT 1 FROM queries LIMIT 1'), { timeout: 20_000 }).toHaveLength(1);
  const bytes = await rowBytes(stack.databaseUrl);
  expect(bytes).toBeGreaterThan(0.6 * ROW.bytes);
  expect(bytes).toBeLessThan(1.4 * ROW.bytes);
});
