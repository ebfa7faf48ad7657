import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_CONFIG, readDeployment } from '../../src/cli/deployment.ts';
import { initCommand } from '../../src/cli/init.ts';
import { startSimulators } from '../../src/local/simulated/server.ts';
import { type Ground, KEYS, startGround } from '../http/customer-gateway.ts';
import { type Served, serve } from './served.ts';
import { run } from './shell.ts';
import { type ScriptedWrangler, scriptWrangler } from './wrangler.ts';

const MARK = 'MARKED';
let ground: Ground;
let simulators: Awaited<ReturnType<typeof startSimulators>>;
let served: Served;
let wrangler: ScriptedWrangler;
let folder: string;
let config: string;

beforeAll(async () => {
  ground = await startGround();
  simulators = await startSimulators();
  const gateway = ground.start({ ANTHROPIC_BASE_URL: simulators.url });
  served = await serve((path, init) => gateway.request(path, init, null));
  await readDeployment(DEFAULT_CONFIG, null); // wrangler takes seconds to load
}, 60_000);
afterAll(async () => {
  await served.close();
  await simulators.close();
  await ground.close();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flux-init-'));
  config = join(folder, 'wrangler.toml');
  // Providers of this test are simulated; the bundle is not looked at by a scripted wrangler.
  const vars = `[env.production.vars]\nANTHROPIC_BASE_URL = "${simulators.url}"\nOPENAI_BASE_URL = "${simulators.url}/v1"`;
  writeFileSync(config, readFileSync(DEFAULT_CONFIG, 'utf8').replace('[env.production.vars]', vars));
  wrangler = scriptWrangler({ url: served.url });
  return () => {
    wrangler.remove();
    rmSync(folder, { recursive: true });
  };
});

const values = () => ({
  DATABASE_URL: ground.postgres.url,
  UPSTASH_REDIS_REST_URL: ground.redis.url,
  UPSTASH_REDIS_REST_TOKEN: 'token',
  ANTHROPIC_API_KEY: `sk-ant-${MARK}`,
});

const flux = (args: string[], variables: Record<string, string> = {}, answers?: string[]) =>
  run(
    initCommand,
    ['--config', config, ...args],
    { PATH: wrangler.path, FLUX_DATA_DIR: join(folder, 'data'), ...variables },
    answers,
  );

/** Sub-commands that were run, without the flags that all have. */
const commands = () =>
  wrangler.invocations().map(({ args }) => args.slice(0, args.indexOf('--config')).join(' '));

describe('flux init', () => {
  it('sets up everything from the environment, shows each command first, and can be run again', async () => {
    const variables = { ...values(), FLUX_API_KEYS: `${KEYS.acme}:acme:infer+read+admin` };
    const { code, json, notes } = await flux(['--yes', '--name', 'gateway', '--probe', '--json'], variables);
    expect(notes).not.toContain('flux init:');
    expect(code).toBe(0);
    expect(json).toMatchObject({
      worker: 'gateway',
      environment: 'production',
      url: served.url,
      queues: ['gateway-log', 'gateway-log-dead'],
      secrets: [
        'DATABASE_URL',
        'UPSTASH_REDIS_REST_URL',
        'UPSTASH_REDIS_REST_TOKEN',
        'ANTHROPIC_API_KEY',
        'FLUX_API_KEYS',
        'FLUX_SECRET',
      ],
      step: { ok: true, model: 'claude-haiku-5-5', simulated: true },
    });
    const ran = wrangler.invocations();
    expect(ran.map(({ args }) => args.slice(0, args.indexOf('--config')).join(' '))).toEqual([
      'whoami --json',
      'secret list',
      'queues list',
      'queues create gateway-log --message-retention-period-secs 1209600',
      'queues create gateway-log-dead --message-retention-period-secs 1209600',
      'secret bulk',
      'deploy',
    ]);
    for (const { args } of ran) {
      expect(notes).toContain(`$ wrangler ${args.join(' ')}`);
      expect(args.slice(-2)).toEqual(['--env', 'production']);
    }
    expect(JSON.parse(ran.find(({ args }) => args[1] === 'bulk')?.stdin ?? '')).toMatchObject(variables);
    // No secret where others could read it.
    const told = notes + JSON.stringify(json) + JSON.stringify(ran.map(({ args }) => args));
    for (const secret of [MARK, KEYS.acme, ground.postgres.url]) expect(told).not.toContain(secret);

    const written = readFileSync(config, 'utf8');
    const again = await flux(['--yes', '--json'], variables);
    expect(again.json).toMatchObject({
      worker: 'gateway',
      queues: [],
      secrets: [],
      migrations: [],
      step: null,
    });
    expect(commands()).toEqual(['whoami --json', 'secret list', 'queues list', 'deploy']);
    expect(readFileSync(config, 'utf8')).toBe(written);
  });

  it('asks once for each missing value, secretly, and then whether to go on', async () => {
    const { DATABASE_URL, UPSTASH_REDIS_REST_URL } = values();
    const answers = ['nonsense', DATABASE_URL, 'token', `sk-ant-${MARK}`, '', '', ''];
    const { code, asked, notes, out } = await flux([], { UPSTASH_REDIS_REST_URL }, answers);
    expect(asked.slice(0, 5).map((question) => question.split(' ', 2).join(' '))).toEqual([
      '(hidden) DATABASE_URL',
      '(hidden) DATABASE_URL',
      '(hidden) UPSTASH_REDIS_REST_TOKEN',
      '(hidden) ANTHROPIC_API_KEY',
      '(hidden) OPENAI_API_KEY',
    ]);
    // Enter takes the yes of the first and the no of the second.
    expect(asked.slice(5)).toEqual([
      expect.stringContaining('fluxcompute-production-log-dead'),
      expect.stringContaining('costs'),
    ]);
    expect(notes).toContain('must look like postgresql://');
    expect(code).toBe(0);
    const file = join(folder, 'data/fluxcompute-production.key');
    expect(out).toContain(file);
    const key = readFileSync(file, 'utf8').trim();
    expect(key).toMatch(/^flx_[\w-]{32}$/);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const upload = JSON.parse(wrangler.invocations().find(({ args }) => args[1] === 'bulk')?.stdin ?? '');
    expect(upload.FLUX_API_KEYS).toBe(`${key}:default:infer+read+admin`);
    expect(upload.FLUX_SECRET).toMatch(/^[\w+/]{43}=$/);
    expect(readFileSync(join(folder, 'data/fluxcompute-production.secret'), 'utf8').trim()).toBe(
      upload.FLUX_SECRET,
    );
    for (const secret of [MARK, key, upload.FLUX_SECRET, DATABASE_URL])
      expect(out + notes).not.toContain(secret);
  });

  it('makes nothing in the account when the answer is no', async () => {
    const { code } = await flux([], values(), ['n']);
    expect(code).toBe(1);
    expect(commands()).toEqual(['whoami --json', 'secret list']);
  });

  it('begins a configuration that is not there as a copy of ours, placed beside the database', async () => {
    config = join(folder, 'own.toml');
    const neon = 'postgresql://u:p@ep-a-1.eu-central-1.aws.neon.tech/db';
    // Stopped at the question: nothing on this machine is that database.
    await flux(['--env', 'staging'], { ...values(), ANTHROPIC_API_KEY: '', DATABASE_URL: neon }, [
      '',
      '',
      'n',
    ]);
    const deployment = await readDeployment(config, 'staging');
    expect(deployment).toMatchObject({
      worker: 'fluxcompute-staging',
      placement: { region: 'aws:eu-central-1' },
    });
    const written = (key: string) =>
      new RegExp(`^${key} = "(.*)"`, 'm').exec(readFileSync(config, 'utf8'))?.[1] ?? '?';
    expect(existsSync(join(folder, written('main')))).toBe(true);
    // The files of /docs, and where wrangler's build brings the rest of them from.
    expect(existsSync(join(folder, written('directory'), 'docs/index.html'))).toBe(true);
    const built = written('command').split(' ').at(-1) ?? '?';
    expect(existsSync(join(written('cwd'), built))).toBe(true);
  });

  it('asks which of several accounts, and writes it down', async () => {
    wrangler.set({
      accounts: [
        { id: 'acc1', name: 'One' },
        { id: 'acc2', name: 'Two' },
      ],
    });
    const silent = await flux(['--yes'], values());
    expect([silent.code, silent.notes]).toEqual([2, expect.stringContaining('--account')]);
    const asked = await flux([], values(), ['2', 'n']);
    expect(asked.notes).toContain('2  Two (acc2)');
    expect((await readDeployment(config, 'production')).accountId).toBe('acc2');
    expect((await flux([], values(), ['n'])).asked).toHaveLength(1);
  });

  it.each<[string, Record<string, string>, RegExp]>([
    ['a provider key that is refused', { ANTHROPIC_API_KEY: 'sk-invalid' }, /refuses ANTHROPIC_API_KEY/],
    ['a Redis that does not answer', { UPSTASH_REDIS_REST_TOKEN: 'wrong' }, /UPSTASH_REDIS_REST_TOKEN/],
    ['a database that is none', { DATABASE_URL: 'mysql://x' }, /DATABASE_URL must look like/],
    ['keys of the gateway that are none', { FLUX_API_KEYS: 'short' }, /FLUX_API_KEYS: entry 1/],
  ])('finds out about %s before it makes anything', async (_, wrong, message) => {
    const { code, notes } = await flux(['--yes'], { ...values(), ...wrong });
    expect([code > 0, notes]).toEqual([true, expect.stringMatching(message)]);
    expect(commands()).toEqual(['whoami --json', 'secret list']);
  });

  it('names all that is missing where nobody can be asked', async () => {
    const { code, notes } = await flux(['--yes']);
    expect(code).toBe(2);
    expect(notes).toContain('DATABASE_URL, UPSTASH_REDIS_REST_URL, UPSTASH_REDIS_REST_TOKEN');
    const unasked = await flux([]);
    expect([unasked.code, unasked.notes]).toEqual([2, expect.stringContaining('--yes')]);
  });

  it('puts no new secret in the place of one that can’t be read', async () => {
    mkdirSync(join(folder, 'data/gateway.secret'), { recursive: true });
    const { code, notes } = await flux(['--yes', '--name', 'gateway'], values());
    rmSync(join(folder, 'data/gateway.secret'), { recursive: true });
    expect(code).toBe(1);
    expect(notes).toMatch(/FLUX_SECRET can't be kept in .*gateway\.secret \(EISDIR\): make that a file/);
    expect(commands()).not.toContain('secret bulk');
  });

  it('says what to do where wrangler fails, and takes up there the next time', async () => {
    wrangler.set({ loggedIn: false });
    const out = await flux(['--yes'], values());
    expect([out.code, out.notes]).toEqual([1, expect.stringContaining('npx wrangler login')]);
    wrangler.set({ loggedIn: true, failures: { 'queues create': 'Queues needs a paid plan.' } });
    const unpaid = await flux(['--yes'], values());
    expect([unpaid.code, unpaid.notes]).toEqual([1, expect.stringContaining('Queues needs a paid plan.')]);
    wrangler.set({ failures: { deploy: 'Something went wrong.' } });
    const undeployed = await flux(['--yes'], values());
    expect(undeployed.notes).toContain('`wrangler deploy` failed: Something went wrong.');
    wrangler.set({ failures: {} });
    wrangler.invocations();
    expect((await flux(['--yes'], values())).code).toBe(0);
    expect(commands()).toEqual(['whoami --json', 'secret list', 'queues list', 'deploy']);
  });

  it('fails where the step it was allowed to send fails', async () => {
    // The gateway that answers knows none of these keys.
    const { code, json, notes } = await flux(['--yes', '--probe', '--json'], values());
    expect([code, json.step]).toEqual([
      1,
      { ok: false, code: 'invalid_api_key', message: expect.any(String) },
    ]);
    expect(notes).toContain('The step failed');
  });

  it.each([
    ['a name Cloudflare would not take', ['--yes', '--name', 'My Gateway']],
    ['a place that is none', ['--yes', '--region', 'Ohio']],
    ['an environment there is not', ['--yes', '--env', 'test']],
  ])('exits 2 on %s', async (_, args) => {
    const { code, notes } = await flux(args, values());
    expect([code, notes]).toEqual([2, expect.stringContaining('Usage: flux init')]);
  });
});
