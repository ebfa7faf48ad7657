import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, test } from 'vitest';
import { type AccessFacts, type AccessQuestion, AccessUnavailable } from '../../src/customers/access.ts';
import { type Access, AccessBook } from '../../src/customers/access-book.ts';
import type { KnownKey } from '../../src/env-keys.ts';
import { settingsOf } from '../pipeline/in-process.ts';

const MADE = `flx_${'m'.repeat(32)}`;
const CONFIGURED = 'a-configured-key';
const deployment = settingsOf();

function known(key: string, customer: string | null): KnownKey {
  const hash = createHash('sha256').update(key).digest();
  return { hash, id: hash.toString('hex', 0, 6), customer, scopes: new Set(['infer'] as const) };
}

let now: number;
/** What the stores say; null: neither answers. */
let facts: ((question: AccessQuestion) => Partial<AccessFacts>) | null;
/** A request that asks ends before the answer. */
let dead = false;
let asked: string[];
let held: number[];
let work: Promise<unknown>[];
let book: AccessBook;

const background = (promise: Promise<unknown>) => void work.push(promise);
const row = (revoked = false): Partial<AccessFacts> => ({
  customer: 'acme',
  key: { scopes: ['infer'], revoked },
});

function newBook(): AccessBook {
  const answer = (how: string) => async (question: AccessQuestion) => {
    asked.push(how);
    if (dead) return new Promise<never>(() => {});
    const readAt = now;
    await new Promise((resolve) => setTimeout(resolve, 1));
    if (facts === null) throw new AccessUnavailable();
    return {
      ...{ read_at: readAt, customer: question.customer, key: null, settings: null, experience: null },
      limits: { customer: null, key: null, tags: {} },
      ...facts(question),
    };
  };
  return new AccessBook([known(CONFIGURED, 'acme'), known('the-admin-key', null)], deployment, {
    read: answer('read'),
    refresh: answer('refresh'),
    compile: async () => deployment,
    held: (requests) => held.push(requests),
    now: () => now,
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  });
}

beforeEach(() => {
  now = Date.UTC(2026, 10, 23, 12);
  facts = (question) => (question.customer === null ? row() : {});
  asked = [];
  held = [];
  work = [];
  book = newBook();
});

/** Who it is, and whether that took a wait. */
async function find(
  key: string,
): Promise<{ customer: string | null | undefined; waited: boolean; code?: string }> {
  try {
    const found = book.find(key, background);
    const waited = found instanceof Promise;
    const { key: who }: Access = await found;
    return { customer: who.customer, waited };
  } catch (error) {
    return { customer: undefined, waited: false, code: (error as { code: string }).code };
  }
}

test('the first request waits, those of the next minute do not, and it is read anew beside them', async () => {
  expect(await find(MADE)).toEqual({ customer: 'acme', waited: true });
  for (let second = 0; second < 600; second++) {
    now += 1000;
    expect(await find(MADE)).toEqual({ customer: 'acme', waited: false });
    await Promise.all(work);
  }
  // Every half a minute, in the background.
  expect(asked.filter((how) => how === 'read')).toHaveLength(1);
  expect(asked.length).toBeLessThanOrEqual(1 + 600 / 30);
});

test('the operator never waits', async () => {
  facts = null;
  expect(await find('the-admin-key')).toEqual({ customer: null, waited: false });
  expect(asked).toEqual([]);
});

test('what is older than a minute answers nobody while stores answer', async () => {
  await find(MADE);
  facts = () => row(true);
  now += 61_000;
  expect(await find(MADE)).toMatchObject({ code: 'revoked_api_key' });
  // And is never asked for again.
  now += 3_600_000;
  facts = () => row(false);
  expect(await find(MADE)).toMatchObject({ code: 'revoked_api_key' });
  expect(asked).toHaveLength(2);
});

test('a slow answer from before a revocation does not undo it', async () => {
  await find(MADE);
  now += 31_000;
  const before = facts;
  book.find(MADE, background);
  // Read before, arrives after.
  facts = () => row(true);
  now += 40_000;
  await find(MADE);
  facts = before;
  await Promise.all(work);
  expect(await find(MADE)).toMatchObject({ code: 'revoked_api_key' });
});

describe('no store answers', () => {
  test('a configured key is let in, a made one that is known too; who is not is a 503', async () => {
    await find(MADE);
    facts = null;
    expect(await find(CONFIGURED)).toEqual({ customer: 'acme', waited: true });
    expect(await find(`flx_${'n'.repeat(32)}`)).toMatchObject({ code: 'keys_unavailable' });
    for (let second = 0; second < 300; second++) {
      now += 1000;
      // After the first try nobody waits: that would be two seconds for each.
      expect(await find(CONFIGURED)).toEqual({ customer: 'acme', waited: false });
      expect(await find(MADE)).toEqual({ customer: 'acme', waited: false });
      await Promise.all(work);
    }
    // Each key asks every five seconds, not every request.
    expect(asked.length).toBeLessThanOrEqual(3 + 2 * 60 + 2);
    // And it is counted who was let in meanwhile.
    expect(held.reduce((sum, requests) => sum + requests, 0)).toBeGreaterThan(400);
    facts = () => row(true);
    now += 6_000;
    await find(MADE);
    await Promise.all(work);
    expect(await find(MADE)).toMatchObject({ code: 'revoked_api_key' });
  });

  test('idle through an outage: the old knowledge is tried against the stores first', async () => {
    await find(MADE);
    facts = null;
    now += 61_000;
    expect(await find(MADE)).toEqual({ customer: 'acme', waited: true });
    facts = () => row(true);
    now += 3_600_000;
    expect(await find(MADE)).toMatchObject({ code: 'revoked_api_key' });
  });
});

describe('wrong keys', () => {
  test('each is asked for once a minute, however often it comes; what looks like none of ours, never', async () => {
    facts = () => ({ customer: null });
    const wrong = `flx_${'w'.repeat(32)}`;
    const answers = await Promise.all(Array.from({ length: 100 }, () => find(wrong)));
    expect(answers.every(({ code }) => code === 'invalid_api_key')).toBe(true);
    for (let again = 0; again < 100; again++) await find(wrong);
    expect(asked).toHaveLength(1);
    for (const key of ['sk-ant-x', 'flx_', `flx_${'w'.repeat(33)}`, `${wrong} `]) {
      expect(await find(key)).toMatchObject({ code: 'invalid_api_key' });
    }
    expect(asked).toHaveLength(1);
    now += 61_000;
    await find(wrong);
    expect(asked).toHaveLength(2);
  });

  test('many different ones at once reach the stores a few at a time; known keys go on', async () => {
    await find(MADE);
    facts = ({ customer }) => ({ customer });
    asked = [];
    const flood = Array.from({ length: 500 }, (_, index) => find(`flx_${String(index).padStart(32, 'w')}`));
    expect(await find(MADE)).toEqual({ customer: 'acme', waited: false });
    expect(await find(CONFIGURED)).toMatchObject({ customer: 'acme' });
    const codes = new Set((await Promise.all(flood)).map(({ code }) => code));
    expect(codes).toEqual(new Set(['invalid_api_key', 'keys_unavailable']));
    expect(asked.length).toBeLessThanOrEqual(33);
  });

  test('a request that died while it asked does not lock its key', async () => {
    dead = true;
    void book.find(MADE, background);
    dead = false;
    const second = find(MADE);
    await new Promise((resolve) => setTimeout(resolve, 50));
    // Still hoping for the first.
    expect(asked).toHaveLength(1);
    now += 3_000;
    expect(await second).toEqual({ customer: 'acme', waited: true });
  });
});

test('many at once with one cold key: one asks, all get in', async () => {
  const all = await Promise.all(Array.from({ length: 50 }, () => find(MADE)));
  expect(all.every(({ customer }) => customer === 'acme')).toBe(true);
  expect(asked).toHaveLength(1);
});

test('a key that is gone from the configuration and has no row is unknown', async () => {
  await find(MADE);
  facts = () => ({ customer: null });
  now += 31_000;
  await find(MADE);
  await Promise.all(work);
  expect(await find(MADE)).toMatchObject({ code: 'invalid_api_key' });
});
