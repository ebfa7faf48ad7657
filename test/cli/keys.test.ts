import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { keysCommand } from '../../src/cli/keys.ts';
import { type CustomerGateway, type Ground, KEYS, startGround } from '../http/customer-gateway.ts';
import { type Served, serve } from './served.ts';
import { run } from './shell.ts';

const folder = mkdtempSync(join(tmpdir(), 'flux-keys-'));
let ground: Ground;
let gateway: CustomerGateway;
let served: Served;
beforeAll(async () => {
  ground = await startGround();
  gateway = ground.start();
  served = await serve((path, init) => gateway.request(path, init, null));
});
afterAll(async () => {
  await served.close();
  await ground.close();
  rmSync(folder, { recursive: true });
});

const flux = (args: string[], variables: Record<string, string> = { FLUX_KEY: KEYS.acme }) =>
  run(keysCommand, args, { FLUX_URL: served.url, ...variables });

describe('flux keys', () => {
  it('makes a key that works, shows it once, lists it without, and revokes it for good', async () => {
    const made = await flux(['create', '--name', 'search agent', '--scopes', 'infer,read']);
    expect(made.code).toBe(0);
    const key = made.out.trim();
    expect(key).toMatch(/^flx_/);
    expect(made.notes).toContain('only time it is shown');
    expect((await gateway.call('GET', '/v1/models', key)).status).toBe(200);

    const listed = await flux(['list']);
    expect(listed.code).toBe(0);
    expect(listed.out).toMatch(/search agent +acme +infer,read/);
    expect(listed.out + listed.notes).not.toContain(key);

    const id = /(\w{12}) +search agent/.exec(listed.out)?.[1] ?? '';
    const revoked = await flux(['revoke', id, '--json']);
    expect([revoked.code, revoked.json.id]).toEqual([0, id]);
    expect(revoked.json.revoked_at).toMatch(/^20/);
    const again = await flux(['list', '--json']);
    expect(again.json.data.find((key: { id: string }) => key.id === id).revoked_at).toBe(
      revoked.json.revoked_at,
    );
    expect((await ground.start().call('GET', '/v1/models', key)).status).toBe(401);
  });

  it('gives the gateway’s own answer with --json, the key in it', async () => {
    const { json, code, out } = await flux(['create', '--name', 'x', '--json']);
    expect([code, json.scopes]).toEqual([0, ['infer']]);
    expect(json.key).toMatch(/^flx_/);
    expect(out.trim().split('\n')).toHaveLength(1);
  });

  it('acts on any customer with FLUX_ADMIN_KEY, and asks which', async () => {
    const admin = { FLUX_ADMIN_KEY: KEYS.operator };
    const made = await flux(['create', '--name', 'y', '--customer', 'globex', '--json'], admin);
    expect(made.json.customer).toBe('globex');
    expect((await flux(['list', '--customer', 'globex'], admin)).out).toContain('globex');
    const lost = await flux(['list'], admin);
    expect([lost.code, lost.notes]).toEqual([1, expect.stringContaining('--customer')]);
  });

  it('says what to do about a key that is wrong, lacks the scope, or acts on another customer', async () => {
    const wrong = await flux(['list'], { FLUX_KEY: 'flx_wrong_key_1234' });
    expect([wrong.code, wrong.notes]).toEqual([1, expect.stringContaining('--key or FLUX_KEY')]);
    const low = await flux(['list', '--json'], { FLUX_KEY: KEYS.agent });
    expect([low.code, low.json]).toEqual([1, { error: expect.stringContaining("scope 'admin'") }]);
    const other = await flux(['list', '--customer', 'globex']);
    expect([other.code, other.notes]).toEqual([1, expect.stringContaining('own customer')]);
    const unknown = await flux(['revoke', 'abcdefabcdef']);
    expect([unknown.code, unknown.notes]).toEqual([1, expect.stringContaining('no such key')]);
  });

  it('finds the local key in the data folder, and gives it to no gateway elsewhere', async () => {
    writeFileSync(join(folder, 'api-key'), `${KEYS.acme}\n`);
    expect((await flux(['list'], { FLUX_DATA_DIR: folder })).code).toBe(0);
    const elsewhere = await flux(['list', '--url', 'https://gateway.invalid'], { FLUX_DATA_DIR: folder });
    expect([elsewhere.code, elsewhere.notes]).toEqual([2, expect.stringContaining('no API key')]);
  });

  it('says where to look when nobody answers, or something else does', async () => {
    const nobody = await flux(['list', '--url', 'http://127.0.0.1:1']);
    expect([nobody.code, nobody.notes]).toEqual([1, expect.stringContaining('npm start')]);
    const page = await serve(() => new Response('<html>', { status: 200 }));
    const other = await flux(['list', '--url', page.url]);
    await page.close();
    expect([other.code, other.notes]).toEqual([1, expect.stringContaining('no gateway')]);
  });

  it.each([
    ['nothing to do', []],
    ['an unknown sub-command', ['destroy']],
    ['no name', ['create']],
    ['no id', ['revoke']],
    ['an id too many', ['revoke', 'a', 'b']],
    ['an unknown flag', ['list', '--all']],
    ['a URL that is none', ['list', '--url', 'gateway']],
  ])('exits 2 on %s and shows the usage', async (_, args) => {
    const { code, out, notes } = await flux(args);
    expect([code, out]).toEqual([2, '']);
    expect(notes).toContain('Usage: flux keys');
  });

  it('helps, also under each sub-command', async () => {
    for (const args of [['--help'], ['create', '--help'], ['revoke', '-h']]) {
      const { code, out } = await flux(args);
      expect([code, out]).toEqual([0, expect.stringContaining('--scopes')]);
    }
  });
});
