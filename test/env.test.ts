import { expect, test } from 'vitest';
import { type Env, readSettings } from '../src/env.ts';

/** The settings of a Worker with these variables; the queue is not looked at. */
const read = (variables: Record<string, string> = {}) =>
  readSettings(
    // Variables have no type of their own: they are what is checked.
    {
      DATABASE_URL: 'postgresql://user:password@host/database',
      UPSTASH_REDIS_REST_URL: 'https://redis.example',
      UPSTASH_REDIS_REST_TOKEN: 'token',
      ...variables,
    } as unknown as Env,
  );
const names = (list: readonly { provider: string; name: string }[]) =>
  list.map(({ provider, name }) => `${provider}/${name}`);
const json = JSON.stringify;
const three = (easy: string[]) => json({ easy, medium: ['claude-sonnet-5-5'], hard: ['claude-opus-5-5'] });

test('without any: nothing is simulated or limited but by the defaults of contract.md', () => {
  const settings = read();
  expect(settings).toMatchObject({
    mode: 'route',
    handover: 'auto',
    defaultMaxTokens: 16_384,
    maxBodyBytes: 10 * 1024 * 1024,
    keys: [],
    secret: null,
    clockRuns: false,
  });
  expect(settings.baseline.name).toBe('claude-opus-5-5');
});

test.each<[string, Record<string, string>, string[]]>([
  ['no key', {}, ['anthropic/claude-haiku-5-5', 'anthropic/claude-sonnet-5-5', 'anthropic/claude-opus-5-5']],
  [
    "Anthropic's",
    { ANTHROPIC_API_KEY: 'a' },
    ['anthropic/claude-haiku-5-5', 'anthropic/claude-sonnet-5-5', 'anthropic/claude-opus-5-5'],
  ],
  ["OpenAI's", { OPENAI_API_KEY: 'o' }, ['openai/gpt-6-luna', 'openai/gpt-6.1-terra', 'openai/gpt-6.2-sol']],
  [
    'both',
    { ANTHROPIC_API_KEY: 'a', OPENAI_API_KEY: 'o' },
    ['anthropic/claude-haiku-5-5', 'anthropic/claude-sonnet-5-5', 'anthropic/claude-opus-5-5'],
  ],
])('the default tiers with %s', (_name, variables, expected) => {
  const { tiers } = read(variables);
  expect(names([...tiers.easy, ...tiers.medium, ...tiers.hard])).toEqual(expected);
});

test('FLUX_API_KEYS: key[:customer[:scope+scope]], without scopes infer; FLUX_ADMIN_KEY acts on all and has no infer', () => {
  const { keys } = read({
    FLUX_API_KEYS:
      'flx_first_key, flx_second_key:acme ,flx_third_key:acme:read+admin,,flx_fourth_key:b:telemetry',
    FLUX_ADMIN_KEY: 'flx_operator',
  });
  expect(keys.map(({ customer, scopes }) => [customer, [...scopes]])).toEqual([
    ['default', ['infer']],
    ['acme', ['infer']],
    ['acme', ['read', 'admin']],
    ['b', ['telemetry']],
    [null, ['read', 'admin']],
  ]);
  expect(json(keys)).not.toContain('flx_');
});

test('FLUX_TIERS: order is preference, a bare name works where one provider has it, a server of one’s own beside', () => {
  const { tiers, providers, baseline } = read({
    FLUX_TIERS: json({
      easy: ['vllm/qwen-5', 'gpt-6-luna'],
      medium: ['anthropic/claude-sonnet-5-5'],
      hard: ['gpt-6.2-sol', 'claude-opus-5-5'],
    }),
    FLUX_PROVIDERS: json([
      {
        id: 'vllm',
        kind: 'openai',
        base_url: 'http://gpu.example/v1/',
        key_secret: 'VLLM_KEY',
        prices: { 'qwen-5': { input: 0, output: 0 } },
      },
    ]),
    VLLM_KEY: 'k',
  });
  expect(names(tiers.easy)).toEqual(['vllm/qwen-5', 'openai/gpt-6-luna']);
  expect(names(tiers.hard)).toEqual(['openai/gpt-6.2-sol', 'anthropic/claude-opus-5-5']);
  expect(baseline.name).toBe('gpt-6.2-sol');
  // A price of 0 is a price.
  expect(providers.get('vllm')).toMatchObject({
    baseUrl: 'http://gpu.example/v1',
    apiKey: 'k',
    prices: { 'qwen-5': { input: 0, output: 0 } },
  });
});

const vllm = { id: 'vllm', kind: 'openai', base_url: 'http://gpu.example/v1' };

test.each<[string, Record<string, string>, RegExp]>([
  ['a mode there is not', { FLUX_MODE: 'guess' }, /^FLUX_MODE: .*"observe"\|"route"\|"certified"/],
  ['a number that is none', { FLUX_MAX_BODY_BYTES: 'much' }, /^FLUX_MAX_BODY_BYTES: /],
  [
    'room for less than one body',
    { FLUX_MAX_BYTES_IN_FLIGHT: '1000' },
    /^FLUX_MAX_BYTES_IN_FLIGHT: .*FLUX_MAX_BODY_BYTES/,
  ],
  ['a short key', { FLUX_API_KEYS: 'flx_long_enough,short' }, /^FLUX_API_KEYS: entry 2 .*fewer than 8/],
  [
    'a scope there is not',
    { FLUX_API_KEYS: 'flx_some_key:acme:read+fly' },
    /^FLUX_API_KEYS: entry 1 .*unknown scope: use infer, read, admin, telemetry/,
  ],
  [
    'a part too many',
    { FLUX_API_KEYS: 'flx_some_key:acme:read:more' },
    /^FLUX_API_KEYS: entry 1 .*key:customer:scope\+scope/,
  ],
  ['a customer with a space', { FLUX_API_KEYS: 'flx_some_key:ac me' }, /^FLUX_API_KEYS: entry 1 .*customer/],
  ['a key twice', { FLUX_API_KEYS: 'flx_some_key,flx_some_key:b' }, /^FLUX_API_KEYS: .*twice/],
  ['a short admin key', { FLUX_ADMIN_KEY: 'short' }, /^FLUX_ADMIN_KEY: .*8 characters/],
  ['tiers that are no JSON', { FLUX_TIERS: 'easy=haiku' }, /^FLUX_TIERS: is not valid JSON/],
  [
    'a tier too many',
    { FLUX_TIERS: `${three(['claude-haiku-5-5']).slice(0, -1)},"top":[]}` },
    /^FLUX_TIERS: .*"top"/,
  ],
  ['a tier missing', { FLUX_TIERS: '{"easy":["claude-haiku-5-5"]}' }, /^FLUX_TIERS: .*'medium'/],
  ['an empty tier', { FLUX_TIERS: three([]) }, /^FLUX_TIERS: .*'easy'/],
  [
    'a model nobody has',
    { FLUX_TIERS: three(['gpt-nothing']) },
    /^FLUX_TIERS: no provider .*'gpt-nothing': write provider\/model/,
  ],
  [
    'a provider there is not',
    { FLUX_TIERS: three(['nobody/gpt-6-luna']) },
    /^FLUX_TIERS: .*'nobody\/gpt-6-luna'/,
  ],
  [
    'a built-in provider without that model',
    { FLUX_TIERS: three(['anthropic/gpt-6-luna']) },
    /^FLUX_TIERS: .*'anthropic\/gpt-6-luna'/,
  ],
  [
    'a bare name that two providers have',
    {
      FLUX_TIERS: three(['gpt-6-luna']),
      FLUX_PROVIDERS: json([{ ...vllm, prices: { 'gpt-6-luna': { input: 1, output: 1 } } }]),
    },
    /^FLUX_TIERS: .*exactly one model 'gpt-6-luna'/,
  ],
  [
    'a kind there is not',
    { FLUX_PROVIDERS: json([{ ...vllm, kind: 'gemini' }]) },
    /^FLUX_PROVIDERS: .*'0.kind'.*"anthropic"\|"openai"/,
  ],
  [
    'a field there is not',
    { FLUX_PROVIDERS: json([{ ...vllm, api_key: 'sk-secret' }]) },
    /^FLUX_PROVIDERS: .*"api_key"/,
  ],
  [
    'a key in the place of its name',
    { FLUX_PROVIDERS: json([{ ...vllm, key_secret: 'sk-secret' }]) },
    /^FLUX_PROVIDERS: .*NAME of a variable/,
  ],
  [
    'a negative price',
    { FLUX_PROVIDERS: json([{ ...vllm, prices: { m: { input: -1, output: 1 } } }]) },
    /^FLUX_PROVIDERS: .*'0.prices.m.input'/,
  ],
  ['a provider twice', { FLUX_PROVIDERS: json([vllm, vllm]) }, /^FLUX_PROVIDERS: .*'vllm' twice/],
  [
    'a provider called as a built-in one',
    { FLUX_PROVIDERS: json([{ ...vllm, id: 'openai' }]) },
    /^FLUX_PROVIDERS: .*'openai'.*OPENAI_BASE_URL/,
  ],
  ['a base URL that is none', { ANTHROPIC_BASE_URL: 'api.example' }, /^ANTHROPIC_BASE_URL: .*URL/],
  ['a baseline nobody has', { FLUX_BASELINE_MODEL: 'gpt-nothing' }, /^FLUX_BASELINE_MODEL: /],
  ['no database', { DATABASE_URL: '' }, /^DATABASE_URL: is not set/],
  [
    'a database that is none',
    { DATABASE_URL: 'mysql://me:hunter2@host/database' },
    /^DATABASE_URL: must look like postgresql:/,
  ],
  ['no Redis', { UPSTASH_REDIS_REST_URL: '' }, /^UPSTASH_REDIS_REST_URL: is not set/],
  ['no Redis token', { UPSTASH_REDIS_REST_TOKEN: '' }, /^UPSTASH_REDIS_REST_TOKEN: is not set/],
])('%s is an error that names the variable, and no secret', (_name, variables, message) => {
  expect(() => read(variables)).toThrow(message);
  expect(() => read(variables)).not.toThrow(/sk-secret|short|flx_|hunter2/);
});
