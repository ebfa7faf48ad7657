import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { editConfig } from '../../src/cli/config-edit.ts';
import { DEFAULT_CONFIG, regionOf } from '../../src/cli/deployment.ts';

const OURS = readFileSync(DEFAULT_CONFIG, 'utf8');

/** Lines of `after` that `before` has not. */
const added = (before: string, after: string) => {
  const there = new Set(before.split('\n'));
  return after.split('\n').filter((line) => !there.has(line));
};

describe('wrangler.toml of a deployment', () => {
  it('changes names in its environment only, and nothing else', () => {
    const text = editConfig(OURS, 'production', { name: 'gateway' });
    expect(added(OURS, text)).toEqual([
      'name = "gateway"',
      'queue = "gateway-log"',
      'queue = "gateway-log"',
      'dead_letter_queue = "gateway-log-dead"',
      'queue = "gateway-log-dead"',
    ]);
    expect(text.split('\n')).toHaveLength(OURS.split('\n').length);
    const top = editConfig(OURS, null, { name: 'gateway' });
    expect(top).toContain('name = "fluxcompute-staging"');
    expect(added(OURS, top)).toHaveLength(5);
  });

  it('comes to the same when it is done again', () => {
    const change = { name: 'gateway', accountId: 'acc1', region: 'aws:us-east-2' };
    const once = editConfig(OURS, 'production', change);
    expect(editConfig(once, 'production', change)).toBe(once);
    expect(editConfig(once, 'production', {})).toBe(once);
    expect(added(OURS, once)).toContain('account_id = "acc1"');
  });

  it('gives an environment a place of its own, and replaces the one that is there', () => {
    const once = editConfig(OURS, 'staging', { region: 'aws:us-east-2' });
    expect(once).toMatch(/\[env\.staging\.placement\]\nregion = "aws:us-east-2"\n$/);
    expect(once).toContain('mode = "smart"');
    const moved = editConfig(once, 'staging', { region: 'aws:eu-central-1' });
    expect(added(once, moved)).toEqual(['region = "aws:eu-central-1"']);
    expect(editConfig(OURS, null, { region: 'gcp:us-east4' })).toMatch(
      /\[placement\]\nregion = "gcp:us-east4"\n\n\[/,
    );
  });

  it('leaves a user’s own queues and comments alone', () => {
    const own = `${OURS}\n[[env.production.queues.producers]]\nbinding = "OTHER" # mine\nqueue = "other-log" # too\n`;
    expect(editConfig(own, 'production', { name: 'gateway' })).toContain('queue = "other-log" # too');
  });

  it('says so where the environment has no name', () => {
    expect(() => editConfig('main = "x"\n[env.a]\n', 'a', { name: 'gateway' })).toThrow('[env.a]');
  });

  it.each([
    ['postgresql://u:p@ep-cool-sun-123.us-east-2.aws.neon.tech/db', 'aws:us-east-2'],
    [
      'postgres://u:p@ep-cool-sun-123-pooler.c-2.eu-central-1.aws.neon.tech/db?sslmode=require',
      'aws:eu-central-1',
    ],
    ['postgresql://u:p@ep-cool-sun-123.eastus2.azure.neon.tech/db', 'azure:eastus2'],
    ['postgresql://u:p@db.example.com/db', null],
    ['nonsense', null],
  ])('reads the region of a Neon database off its host: %s', (url, region) => {
    expect(regionOf(url)).toBe(region);
  });
});
