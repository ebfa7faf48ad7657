import { expect, test } from 'vitest';
import { BytesInFlight } from '../../src/http/bytes-in-flight.ts';

test('traps T63: what comes in once a request is over, and all that held its bytes, takes no memory any more', async () => {
  const budget = new BytesInFlight(1_000);
  const lease = budget.open();
  let end = (): void => {};
  const stream = new Promise<void>((resolve) => {
    end = resolve;
  });
  lease.take(400);
  lease.hold(stream);
  lease.close();
  lease.take(300);
  expect(budget.used).toBe(700);
  expect(() => lease.take(301)).toThrow('hands full');
  end();
  await stream;
  await Promise.resolve();
  expect(budget.used).toBe(0);
  lease.take(600);
  expect(budget.used).toBe(0);
});
