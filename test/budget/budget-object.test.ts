import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { BudgetClaim, BudgetExcess, Reservation } from '../../src/budget/budget-book.ts';
import type { Spent } from '../local/fixtures/objects.ts';
import { type Objects, startObjects } from '../sessions/objects.ts';

let objects: Objects;
beforeAll(async () => {
  objects = await startObjects();
});
afterAll(() => objects.stop());

const NOON = Date.UTC(2026, 10, 27, 12);
const day = (limit: number, scope = 'customer'): BudgetClaim => ({ scope, period: 'day', limit });
const budget = (name: string) => ({
  reserve: (
    requestId: string,
    amount: number,
    claims: BudgetClaim[],
    more: Partial<Reservation> = {},
    otherwise: number | null = null,
  ) =>
    objects.call<BudgetExcess | null>(
      'BUDGETS',
      name,
      'reserve',
      { requestId, amount, estimate: amount / 10, at: NOON, dueAt: Date.now() + 900_000, claims, ...more },
      otherwise === null ? null : { amount: otherwise, estimate: otherwise / 10 },
    ),
  settle: (requestId: string, cost: number) => objects.call('BUDGETS', name, 'settle', requestId, cost),
  standing: async (...claims: BudgetClaim[]) =>
    objects.call<{ spent: number; reserved: number }[]>('BUDGETS', name, 'standing', claims, NOON),
});

describe('the object of a customer’s budgets', () => {
  test('traps T43: of 200 at once exactly as many get in as there is room for', async () => {
    const { reserve, settle, standing } = budget('race');
    await reserve('before', 50, [day(1_000)]);
    await settle('before', 37);
    const results = await Promise.all(
      Array.from({ length: 200 }, (_, i) => reserve(`r${i}`, 48, [day(1_000)])),
    );
    const admitted = results.flatMap((one, i) => (one === null ? [`r${i}`] : []));
    expect(admitted).toHaveLength(Math.floor((1_000 - 37) / 48));
    for (const id of admitted) await settle(id, 48);
    const [sums] = await standing(day(1_000));
    expect(sums).toEqual({ spent: 37 + 48 * admitted.length, reserved: 0 });
    expect(sums?.spent).toBeLessThanOrEqual(1_000);
  });

  test('a step writes a row for itself and one for each budget, and as many when it has ended', async () => {
    const { reserve, settle } = budget('rows');
    const spent = async () => (await objects.call<Spent>('BUDGETS', 'rows', 'spent')).rowsWritten;
    const claims = [day(1_000), day(1_000, 'key:a')];
    await reserve('r0', 10, claims);
    await settle('r0', 5);
    const before = await spent();
    await reserve('r1', 10, claims);
    expect((await spent()) - before).toBe(1 + claims.length);
    await settle('r1', 5);
    expect((await spent()) - before).toBe(2 * (1 + claims.length));
  });

  test('one budget without room refuses it in all, and says which; or counts what it comes to then', async () => {
    const { reserve, standing } = budget('several');
    const claims = [day(1_000), day(100, 'key:a'), day(500, 'tag:team=search')];
    expect(await reserve('fits', 80, claims)).toBeNull();
    expect(await reserve('too-much', 30, claims)).toEqual({
      claim: claims[1],
      spent: 0,
      reserved: 80,
    });
    expect(await standing(...claims)).toEqual([
      { spent: 0, reserved: 80 },
      { spent: 0, reserved: 80 },
      { spent: 0, reserved: 80 },
    ]);
    expect(await reserve('forced', 30, claims, {}, 20)).toMatchObject({ claim: claims[1] });
    expect((await standing(...claims)).map(({ reserved }) => reserved)).toEqual([100, 100, 100]);
  });

  test('traps T52: days and months end in UTC, and a step counts where it began', async () => {
    const { reserve, settle, standing } = budget('midnight');
    const month: BudgetClaim = { scope: 'customer', period: 'month', limit: 1_000 };
    const late = Date.UTC(2026, 10, 26, 23, 59, 59);
    await reserve('late', 100, [day(100), month], { at: late });
    expect(await reserve('morning', 100, [day(100), month])).toBeNull();
    await settle('late', 60);
    await settle('morning', 70);
    expect(await standing(day(100), month)).toEqual([
      { spent: 70, reserved: 0 },
      { spent: 130, reserved: 0 },
    ]);
  });

  test('what is never settled counts at its estimate and gives the rest back; a late settle corrects it', async () => {
    const { reserve, settle, standing } = budget('lost');
    await reserve('lost', 100, [day(1_000)], { dueAt: Date.now() + 100 });
    for (let tries = 0; tries < 100; tries += 1) {
      const [sums] = await standing(day(1_000));
      if (sums?.reserved === 0) break;
      await sleep(50);
    }
    expect(await standing(day(1_000))).toEqual([{ spent: 10, reserved: 0 }]);
    await settle('lost', 42);
    await settle('lost', 42);
    expect(await standing(day(1_000))).toEqual([{ spent: 42, reserved: 0 }]);
  });

  test('it survives a restart', async () => {
    const { reserve, standing } = budget('restarted');
    await reserve('one', 100, [day(1_000)]);
    await objects.restart();
    expect(await standing(day(1_000))).toEqual([{ spent: 0, reserved: 100 }]);
  });

  test('spent is never over the limit, whatever comes in whatever order', async () => {
    let run = 0;
    const action = fc.record({
      amount: fc.integer({ min: 1, max: 60 }),
      share: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 12 }), async (actions) => {
        const { reserve, settle, standing } = budget(`property-${run++}`);
        const open: { id: string; cost: number }[] = [];
        for (const [i, { amount, share }] of actions.entries()) {
          if ((await reserve(`p${i}`, amount, [day(100)])) === null) {
            open.push({ id: `p${i}`, cost: Math.floor(amount * share) });
          }
          const done = i % 2 === 1 ? open.shift() : undefined;
          if (done) await settle(done.id, done.cost);
          const [sums = { spent: 0, reserved: 0 }] = await standing(day(100));
          expect(sums.spent + sums.reserved).toBeLessThanOrEqual(100);
          expect(sums.reserved).toBeGreaterThanOrEqual(0);
        }
      }),
      { numRuns: 15 },
    );
  });
});
