import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_CONFIG, readDeployment } from '../../src/cli/deployment.ts';
import { judgeClocks } from '../../src/cli/doctor/clock.ts';
import { checkPlacement } from '../../src/cli/doctor/deployment.ts';
import { judgeStores } from '../../src/cli/doctor/gateway.ts';
import { doctorCommand } from '../../src/cli/doctor.ts';
import { readProviders, readTiers } from '../../src/env-providers.ts';
import { settingWarnings } from '../../src/http/warnings.ts';
import { startSimulators } from '../../src/local/simulated/server.ts';
import { REDIS_LISTS } from '../../src/stores/redis.ts';
import { type Ground, KEYS, startGround } from '../http/customer-gateway.ts';
import { step } from '../log/records.ts';
import { type Served, serve } from './served.ts';
import { run } from './shell.ts';
import { type ScriptedWrangler, scriptWrangler } from './wrangler.ts';

let ground: Ground;
let simulators: Awaited<ReturnType<typeof startSimulators>>;
/** A gateway in order. */
let gateway: Served;
let wrangler: ScriptedWrangler;
let folder: string;
let config: string;
const opened: Served[] = [];

beforeAll(async () => {
  ground = await startGround();
  simulators = await startSimulators();
  gateway = await serveGateway();
  await readDeployment(DEFAULT_CONFIG, null); // wrangler takes seconds to load
}, 60_000);
afterAll(async () => {
  await Promise.all(opened.map((served) => served.close()));
  await simulators.close();
  await ground.close();
});

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'flux-doctor-'));
  config = join(folder, 'wrangler.toml');
  writeConfig((text) => text);
  const queue = (name: string, producers: number) => ({ name, producers, consumers: 1 });
  wrangler = scriptWrangler({
    secrets: [
      'DATABASE_URL',
      'UPSTASH_REDIS_REST_URL',
      'UPSTASH_REDIS_REST_TOKEN',
      'ANTHROPIC_API_KEY',
      'FLUX_API_KEYS',
      'FLUX_SECRET',
    ],
    queues: [queue('fluxcompute-production-log', 1), queue('fluxcompute-production-log-dead', 0)],
  });
  return async () => {
    wrangler.remove();
    rmSync(folder, { recursive: true });
    await ground.reset();
  };
});

async function opening(served: Promise<Served>): Promise<Served> {
  opened.push(await served);
  return served;
}

/**
 * A gateway over both stores. How long a test machine takes is no finding: those `steady` take 5 ms, whatever they take.
 */
function serveGateway(
  variables: Record<string, string> = {},
  steady: readonly string[] = ['postgres', 'redis'],
): Promise<Served> {
  const started = ground.start({ ANTHROPIC_BASE_URL: simulators.url, ...variables });
  const answer = async (path: string, init: RequestInit): Promise<Response> => {
    const response = await started.request(path, init, null);
    if (path !== '/health' || response.status !== 200) return response;
    const health = await readHealth(response);
    for (const name of steady) {
      const store = health.stores[name];
      if (store && store.state !== 'down') Object.assign(store, { state: 'up', latency_ms: 5 });
    }
    return Response.json(health);
  };
  return opening(serve(answer));
}

interface Health {
  stores: Record<string, { state: string; latency_ms: number }>;
}

/** Our own route answers in this shape. */
async function readHealth(response: Response): Promise<Health> {
  return (await response.json()) as Health;
}

/** Our wrangler.toml, placed where the stores are, and changed. */
function writeConfig(change: (text: string) => string): void {
  const placed = readFileSync(DEFAULT_CONFIG, 'utf8').replace('mode = "smart"', 'region = "aws:us-east-1"');
  writeFileSync(config, change(placed));
}

const environment = () => ({
  PATH: wrangler.path,
  FLUX_DATA_DIR: folder,
  DATABASE_URL: ground.postgres.url,
  UPSTASH_REDIS_REST_URL: ground.redis.url,
  UPSTASH_REDIS_REST_TOKEN: 'token',
  ANTHROPIC_API_KEY: 'sk-ant-MARKED',
  ANTHROPIC_BASE_URL: simulators.url,
  FLUX_API_KEYS: `${KEYS.acme}:acme`,
});

interface Found {
  code: number;
  /** Codes of what is no `ok`. */
  codes: string[];
  /** All of it. */
  text: string;
}

async function doctor(args: string[], variables: Record<string, string> = {}): Promise<Found> {
  const seen = await run(doctorCommand, ['--json', ...args], { ...environment(), ...variables });
  const findings: { code: string; level: string; message: string; fix?: string }[] = seen.json.findings ?? [];
  for (const { level, fix } of findings) if (level !== 'ok') expect(fix).toBeTruthy();
  expect(seen.json.ok).toBe(seen.code === 0);
  const text = findings
    .map(({ code, level, message, fix }) => `${code} ${level}: ${message} ${fix ?? ''}`)
    .join('\n');
  expect(text + seen.notes).not.toContain('MARKED');
  return {
    code: seen.code,
    codes: findings.filter(({ level }) => level !== 'ok').map(({ code }) => code),
    text,
  };
}

/** Of the deployment `production`, reached at a local port. */
const ofDeployment = (variables: Record<string, string> = {}, url = gateway.url) =>
  doctor(['--env', 'production', '--config', config, '--url', url], variables);

describe('flux doctor, of a deployment', () => {
  it('finds nothing wrong with one that is in order, and changes nothing', async () => {
    // More than a page of them.
    const others = Array.from({ length: 30 }, (_, i) => ({ name: `other-${i}`, producers: 1, consumers: 1 }));
    wrangler.set({ queues: [...others, ...wrangler.account().queues] });
    const { code, codes, text } = await ofDeployment();
    expect([code, codes]).toEqual([0, []]);
    expect(text).toContain("Provider 'anthropic' takes the key");
    expect(text).toContain('Clocks agree: this machine, the gateway, Postgres, Redis, anthropic');
    const ran = wrangler.invocations().map(({ args }) => args.slice(0, args.indexOf('--config')).join(' '));
    expect(ran).toEqual(['secret list', 'queues list', 'queues list --page 2']);
  });

  it('a missing secret', async () => {
    const secrets = wrangler.account().secrets ?? [];
    wrangler.set({ secrets: secrets.filter((name) => name !== 'UPSTASH_REDIS_REST_TOKEN') });
    const { code, codes, text } = await ofDeployment();
    expect([code, codes]).toEqual([1, ['missing_secret']]);
    expect(text).toContain('wrangler secret put UPSTASH_REDIS_REST_TOKEN --env production');
  });

  it('no key of any provider', async () => {
    const secrets = wrangler.account().secrets ?? [];
    wrangler.set({ secrets: secrets.filter((name) => name !== 'ANTHROPIC_API_KEY') });
    const { codes, text } = await ofDeployment();
    expect(codes).toEqual(['missing_secret']);
    expect(text).toContain('none of ANTHROPIC_API_KEY, OPENAI_API_KEY');
  });

  it('a Worker that runs near each caller', async () => {
    writeConfig((text) => text.replace('[placement]\nregion = "aws:us-east-1"\n', ''));
    const { code, codes } = await ofDeployment();
    expect([code, codes]).toEqual([1, ['wrong_placement']]);
  });

  it('a schema that is behind', async () => {
    const [row] = await ground.postgres.read('DELETE FROM flux_migrations WHERE name LIKE $1 RETURNING *', [
      '0001%',
    ]);
    const { code, codes, text } = await ofDeployment();
    await ground.postgres.read('INSERT INTO flux_migrations (name, hash) VALUES ($1, $2)', [
      row?.name,
      row?.hash,
    ]);
    expect([code, codes]).toEqual([1, ['migration_behind']]);
    expect(text).toContain('0001_partitions.sql');
    expect(text).toContain('flux migrate');
  });

  it('a queue that is not bound', async () => {
    writeConfig((text) =>
      text.replace(
        '[[env.production.queues.producers]]\nbinding = "LOG_QUEUE"',
        '[[env.production.queues.producers]]\nbinding = "QUEUE"',
      ),
    );
    const { code, codes } = await ofDeployment();
    expect([code, codes]).toEqual([1, ['queue_not_bound']]);
    writeConfig((text) => text);
    wrangler.set({
      queues: wrangler.account().queues.map((queue) => ({ ...queue, producers: 0 })),
    });
    expect((await ofDeployment()).codes).toEqual(['queue_not_bound']);
  });

  it('queues that are not there', async () => {
    wrangler.set({ queues: [] });
    const { code, codes, text } = await ofDeployment();
    expect([code, codes]).toEqual([1, ['queue_missing', 'queue_missing']]);
    expect(text).toContain('wrangler queues create fluxcompute-production-log-dead');
  });

  it('a dead-letter queue that nobody reads (T47)', async () => {
    wrangler.set({
      queues: wrangler
        .account()
        .queues.map((queue) => (queue.name.endsWith('-dead') ? { ...queue, consumers: 0 } : queue)),
    });
    const { code, codes, text } = await ofDeployment();
    expect([code, codes]).toEqual([1, ['dead_letters_unread']]);
    expect(text).toContain('four days');
    writeConfig((text) => text.replace('dead_letter_queue = "fluxcompute-production-log-dead"\n', ''));
    expect((await ofDeployment()).codes).toEqual(['dead_letter_queue_missing']);
  });

  it('a Redis that is slow beside Postgres (T46)', async () => {
    const slow = await opening(
      serve(async (path, init) => {
        await sleep(500);
        return fetch(ground.redis.url + path, {
          ...init,
          headers: { authorization: init.headers.authorization ?? '' },
        });
      }),
    );
    const { url } = await serveGateway({ UPSTASH_REDIS_REST_URL: slow.url }, ['postgres']);
    const { code, codes, text } = await ofDeployment({}, url);
    expect([code, codes]).toEqual([1, ['redis_slow']]);
    expect(text).toMatch(/Redis is slow: \d+ ms at the median, where Postgres takes 5 ms/);
  }, 40_000);

  it('a provider key that is refused', async () => {
    const { code, codes, text } = await ofDeployment({ ANTHROPIC_API_KEY: 'sk-invalid-MARKED' });
    expect([code, codes]).toEqual([1, ['provider_key_refused']]);
    expect(text).toContain('ANTHROPIC_API_KEY');
  });

  it.each([
    [
      'OpenAI',
      { OPENAI_API_KEY: 'sk-MARKED' },
      'OPENAI_BASE_URL',
      {
        error: {
          code: 'unsupported_country_region_territory',
          message: 'Country, region, or territory not supported',
          param: null,
          type: 'request_forbidden',
        },
      },
    ],
    ['Anthropic', {}, 'ANTHROPIC_BASE_URL', { error: { type: 'forbidden', message: 'Request not allowed' } }],
  ])('traps T61: %s refusing the region is egress_blocked, not the key', async (_, key, variable, body) => {
    const blocked = await opening(serve(() => Response.json(body, { status: 403 })));
    const { code, codes, text } = await ofDeployment({ ...key, [variable]: blocked.url });
    expect([code, codes]).toEqual([1, ['egress_blocked']]);
    expect(text).toContain('placement.region');
    expect(text).not.toContain('provider_key_refused');
  });

  it('a clock that is off', async () => {
    const late = await opening(
      serve(() =>
        Response.json({ data: [] }, { headers: { date: new Date(Date.now() - 300_000).toUTCString() } }),
      ),
    );
    const { code, codes, text } = await ofDeployment({ ANTHROPIC_BASE_URL: late.url });
    expect([code, codes]).toEqual([1, ['clock_skew']]);
    expect(text).toMatch(/The clock of anthropic is (299|300|301) s behind this machine's/);
  });

  it('traps T56: several customers on one provider key, until each but one has its own', async () => {
    const admin = ground.start();
    await admin.call('POST', '/api/keys', KEYS.globex, { name: 'an agent', scopes: ['infer'] });
    const shared = await ofDeployment();
    expect([shared.code, shared.codes]).toEqual([0, ['shared_provider_key']]);
    expect(shared.text).toContain("2 customers (acme, globex) share the deployment's key for 'anthropic'");
    const settings = { provider_keys: { anthropic: 'sk-ant-of-globex' } };
    expect((await admin.call('PATCH', '/api/settings', KEYS.globex, settings)).status).toBe(200);
    expect((await ofDeployment()).codes).toEqual([]);
  });

  it('models that retire, in the gateway’s words', async () => {
    const health = await readHealth(await fetch(`${gateway.url}/health`));
    const tiers = tiersWith('claude-sonnet-4-5');
    const soon = settingWarnings(tiers, new Date('2026-11-20'));
    const late = settingWarnings(tiers, new Date('2026-12-20'));
    for (const [warnings, found] of [
      [soon, [0, ['model_retiring']]],
      [late, [1, ['model_retired']]],
    ] as const) {
      const warns = await opening(serve(() => Response.json({ ...health, warnings })));
      const { code, codes, text } = await ofDeployment({}, warns.url);
      expect([code, codes]).toEqual(found);
      expect(text).toContain('Choose another in FLUX_TIERS');
    }
  });

  it('no Worker, or nobody logged in', async () => {
    wrangler.set({ secrets: null });
    expect((await ofDeployment()).codes).toContain('not_deployed');
    wrangler.set({ loggedIn: false });
    const { code, codes, text } = await ofDeployment();
    expect([code, codes]).toEqual([1, ['wrangler_failed']]);
    expect(text).toContain('wrangler login');
  });

  it('what it could not look at, and what it takes', async () => {
    const nothing = {
      DATABASE_URL: '',
      UPSTASH_REDIS_REST_URL: '',
      ANTHROPIC_API_KEY: '',
      FLUX_API_KEYS: '',
    };
    const { code, codes } = await doctor(['--env', 'production', '--config', config], nothing);
    expect([code, codes]).toEqual([
      0,
      ['gateway', 'schema', 'shared_provider_key', 'provider_key', 'dead_letters'],
    ]);
  });
});

describe('flux doctor, of the local gateway', () => {
  const ofLocal = (variables: Record<string, string> = {}, ...args: string[]) =>
    doctor(args, { FLUX_URL: gateway.url, ...variables });

  it('finds nothing wrong, and asks no wrangler', async () => {
    expect(await ofLocal()).toMatchObject({ code: 0, codes: [] });
    expect(wrangler.invocations()).toEqual([]);
  });

  it('a gateway that is not there', async () => {
    const { code, codes } = await ofLocal({ FLUX_URL: 'http://127.0.0.1:1' });
    expect([code, codes]).toEqual([1, ['gateway_unreachable']]);
  });

  it('a gateway that comes and goes: told of, and the rest is looked at', async () => {
    let asked = 0;
    const flapping = await opening(
      serve(async (path) => {
        asked++;
        if (asked % 3 === 0) return new Response('<html>');
        return new Response(await (await fetch(gateway.url + path)).text());
      }),
    );
    const { code, codes, text } = await ofLocal({ FLUX_URL: flapping.url });
    expect([code, codes]).toEqual([1, ['gateway_failing']]);
    expect(text).toContain('no answer 2 of 7 times');
    expect(text).toContain('The schema is up to date');
  });

  it('a gateway without a setting it needs, or with a wrong one', async () => {
    const without = await serveGateway({ UPSTASH_REDIS_REST_TOKEN: '' });
    const missing = await ofLocal({ FLUX_URL: without.url });
    expect([missing.code, missing.codes]).toEqual([1, ['missing_secret']]);
    expect(missing.text).toContain('without UPSTASH_REDIS_REST_TOKEN');
    const wrong = await serveGateway({ FLUX_TIERS: '{' });
    const found = await ofLocal({ FLUX_URL: wrong.url });
    expect([found.codes, found.text]).toEqual([['wrong_setting'], expect.stringContaining('FLUX_TIERS')]);
  });

  it('stores that are down', async () => {
    ground.redis.mood = 'down';
    expect((await ofLocal()).codes).toEqual(['redis_down', 'redis_down']);
    ground.redis.mood = 'up';
    ground.postgres.mood = 'down';
    const { codes, text } = await ofLocal();
    expect(codes).toEqual(['postgres_down', 'postgres_down']);
    expect(text).not.toContain(ground.postgres.url);
  });

  it('dead letters and steps that wait', async () => {
    await ground.redis.direct.rpush(REDIS_LISTS.dead, 'x');
    await ground.redis.direct.rpush(REDIS_LISTS.parked, JSON.stringify(step()));
    const { code, codes, text } = await ofLocal();
    expect([code, codes]).toEqual([0, ['dead_letters', 'parked_steps']]);
    expect(text).toContain('flux dlq list');
  });

  it('a provider setting that is none, a server that is not there', async () => {
    expect((await ofLocal({ FLUX_PROVIDERS: '[' })).codes).toEqual(['wrong_setting']);
    const providers = JSON.stringify([{ id: 'vllm', kind: 'openai', base_url: 'http://127.0.0.1:1/v1' }]);
    const { codes, text } = await ofLocal({ FLUX_PROVIDERS: providers });
    expect([codes, text]).toEqual([['provider_unreachable'], expect.stringContaining("'vllm'")]);
  });

  it('with --probe, what providers say to the gateway itself', async () => {
    const fine = await ofLocal({ FLUX_KEY: KEYS.agent }, '--probe');
    expect([fine.code, fine.text]).toEqual([0, expect.stringContaining('One routed step: claude-haiku-5-5')]);
    const refused = await serveGateway({ ANTHROPIC_API_KEY: 'sk-invalid-MARKED' });
    const found = await ofLocal({ FLUX_KEY: KEYS.agent, FLUX_URL: refused.url }, '--probe');
    expect([found.code, found.codes]).toEqual([1, ['provider_key_refused']]);
    expect(found.text).toContain("takes the key of this machine and refuses the gateway's");
    const body = {
      error: { type: 'request_forbidden', message: 'Country, region, or territory not supported' },
    };
    const blocked = await opening(serve(() => Response.json(body, { status: 403 })));
    const abroad = await serveGateway({ ANTHROPIC_BASE_URL: blocked.url });
    const region = await ofLocal({ FLUX_KEY: KEYS.agent, FLUX_URL: abroad.url }, '--probe');
    expect([region.codes, region.text]).toEqual([
      ['egress_blocked'],
      expect.stringContaining('placement.region'),
    ]);
    const wrongKey = await ofLocal({ FLUX_KEY: 'flx_nobody_knows_it' }, '--probe');
    expect([wrongKey.codes, wrongKey.text]).toEqual([
      ['step_failed'],
      expect.stringContaining('--key or FLUX_KEY'),
    ]);
  });

  it('says it in words too, and exits 2 on wrong usage', async () => {
    const { code, out } = await run(doctorCommand, ['--url', gateway.url], environment());
    expect([code, out]).toEqual([0, expect.stringContaining('✓ The schema is up to date.')]);
    expect(out).toContain('0 errors, 0 warnings');
    const wrong = await run(doctorCommand, ['now'], environment());
    expect([wrong.code, wrong.notes]).toEqual([2, expect.stringContaining('Usage: flux doctor')]);
    expect((await run(doctorCommand, ['--env', 'nowhere', '--config', config], environment())).code).toBe(2);
  });
});

describe('the rules behind it', () => {
  const placed = (placement: { region?: string; mode?: string } | null) => ({
    ...{ config: '', environment: 'production', worker: 'w', accountId: null, vars: {}, placement },
    queues: { log: null, dead: null, consumed: [] },
  });
  const NEON = 'postgresql://u:p@ep-a-1.us-east-2.aws.neon.tech/db';

  it('traps T61: a Worker belongs in the region of its database', () => {
    expect(checkPlacement(placed({ region: 'aws:eu-west-1' }), NEON)).toMatchObject({
      code: 'wrong_region',
      level: 'error',
      fix: expect.stringContaining('[env.production.placement] region = "aws:us-east-2"'),
    });
    expect(checkPlacement(placed({ region: 'aws:us-east-2' }), NEON).level).toBe('ok');
    expect(checkPlacement(placed({ mode: 'smart' }), NEON)).toMatchObject({
      code: 'placement_smart',
      level: 'warning',
    });
  });

  const health = (...latencies: number[]) =>
    latencies.map((latency_ms) => ({ state: 'up' as const, latency_ms }));

  it('traps T46: a store is slow beside its own median or the other’s, never by a number of milliseconds', () => {
    const codes = (postgres: number[], redis: number[]) =>
      judgeStores(health(...postgres), health(...redis)).map(({ code }) => code);
    // A region 160 ms away from both is not broken.
    expect(codes([160, 161, 162], [165, 160, 170])).toEqual(['postgres', 'redis']);
    expect(codes([4, 5, 6], [90, 95, 99])).toEqual(['postgres', 'redis']);
    expect(codes([4, 5, 6], [190, 195, 199])).toEqual(['postgres', 'redis_slow']);
    expect(codes([4, 5, 6], [5, 5, 5, 5, 900])).toEqual(['postgres', 'redis']);
    expect(codes([4, 5, 6], [5, 5, 5, 900, 900])).toEqual(['postgres', 'redis_slow']);
  });

  it('names the clock that is off: one of the others, or this machine’s own', () => {
    const clocks = (...ahead: number[]) =>
      judgeClocks(ahead.map((ms, index) => ({ source: `s${index}`, ahead: ms }))).map(
        ({ code, message }) => `${code}: ${message}`,
      );
    expect(clocks(0, 900, -4000)).toEqual(['clock: Clocks agree: this machine, s0, s1, s2.']);
    expect(clocks(0, 60_000)).toEqual(["clock_skew: The clock of s1 is 60 s ahead of this machine's."]);
    expect(clocks(-60_000, -60_400, -59_000)).toEqual([
      "clock_skew: This machine's clock is off: those of s0, s1, s2 are 59 s behind it.",
    ]);
    expect(clocks()).toEqual([]);
  });
});

/** The tiers of a deployment with this model in the middle. */
function tiersWith(model: string) {
  const names = { easy: ['claude-haiku-5-5'], medium: [model], hard: ['claude-opus-5-5'] };
  const variables = { FLUX_TIERS: JSON.stringify(names) };
  return { tiers: readTiers(variables, readProviders(variables)) };
}
