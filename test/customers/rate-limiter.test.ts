import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Charge, type Claim, type Excess, RateLimiter } from '../../src/customers/rate-limiter.ts';

/** Isolates, a store between them, and a clock that moves when it is told. */
class World {
  now = Date.UTC(2026, 10, 23, 12);
  /** Milliseconds that an exchange takes. */
  latency = 0;
  down = false;
  failures = 0;
  exchanges = 0;
  readonly store = new Map<string, { requests: number; tokens: number }>();
  readonly #waiting: { at: number; go: () => void }[] = [];

  isolate(): RateLimiter {
    return new RateLimiter({
      now: () => this.now,
      sleep: (ms) => this.#until(this.now + ms),
      failed: () => this.failures++,
      exchange: async (cells) => {
        this.exchanges++;
        await this.#until(this.now + this.latency);
        if (this.down) throw new Error('down');
        return cells.map(({ name, add, metrics }) => {
          const counts = { ...(this.store.get(name) ?? { requests: 0, tokens: 0 }) };
          for (const metric of metrics) counts[metric] += add[metric];
          this.store.set(name, counts);
          return counts;
        });
      },
    });
  }

  #until(at: number): Promise<void> {
    return new Promise((go) => this.#waiting.push({ at, go }));
  }

  /** Lets time pass, and everything happen that is due. */
  async pass(ms: number): Promise<void> {
    const end = this.now + ms;
    for (;;) {
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      const next = this.#waiting.toSorted((a, b) => a.at - b.at)[0];
      if (!next || next.at > end) break;
      this.now = Math.max(this.now, next.at);
      this.#waiting.splice(this.#waiting.indexOf(next), 1);
      next.go();
    }
    this.now = end;
  }
}

const limited = (requests: number | null, tokens: number | null = null): Claim[] => [
  { counter: 'acme', perMinute: { requests, tokens } },
];
const background = (work: Promise<unknown>) => void work.catch(() => {});
const isCharge = (admitted: Charge | Excess): admitted is Charge => 'settle' in admitted;

let world: World;
beforeEach(() => {
  world = new World();
});

describe('one isolate', () => {
  test('admits the limit, and no more within any sixty seconds but what the sliding window allows', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.nat(9_000), { minLength: 20, maxLength: 120 }),
        fc.integer({ min: 1, max: 15 }),
        async (gaps, limit) => {
          world = new World();
          const limiter = world.isolate();
          const admitted: number[] = [];
          for (const gap of gaps) {
            await world.pass(gap);
            if (isCharge(limiter.admit(limited(limit), background))) admitted.push(world.now);
          }
          // The window takes the minute before as evenly spread: at worst it lets twice the limit through in 60 s.
          for (const from of admitted) {
            expect(admitted.filter((at) => at >= from && at < from + 60_000).length).toBeLessThanOrEqual(
              2 * limit,
            );
          }
          for (const minute of new Set(admitted.map((at) => Math.floor(at / 60_000)))) {
            expect(admitted.filter((at) => Math.floor(at / 60_000) === minute).length).toBeLessThanOrEqual(
              limit,
            );
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  test('says when it fits, and then it does', () => {
    const limiter = world.isolate();
    for (let asked = 0; asked < 5; asked++) limiter.admit(limited(5), background);
    const refused = limiter.admit(limited(5), background);
    if (isCharge(refused)) throw new Error('admitted');
    expect(refused).toMatchObject({ metric: 'requests', limit: 5 });
    world.now += (refused.retryAfter ?? 0) * 1000;
    expect(isCharge(limiter.admit(limited(5), background))).toBe(true);
  });

  test('all claims or none: a refused request is charged to nobody', () => {
    const limiter = world.isolate();
    const both: Claim[] = [
      { counter: 'acme', perMinute: { requests: 10, tokens: null } },
      { counter: 'acme:key', perMinute: { requests: 1, tokens: null } },
    ];
    expect(isCharge(limiter.admit(both, background))).toBe(true);
    for (let asked = 0; asked < 20; asked++) expect(isCharge(limiter.admit(both, background))).toBe(false);
    for (let asked = 0; asked < 9; asked++)
      expect(isCharge(limiter.admit(limited(10), background))).toBe(true);
    expect(isCharge(limiter.admit(limited(10), background))).toBe(false);
  });

  test('tokens: estimated, corrected once, up or down', () => {
    const limiter = world.isolate();
    const charge = limiter.admit(limited(null, 100), background);
    if (!isCharge(charge)) throw new Error('refused');
    expect(charge.countsTokens).toBe(true);
    expect(charge.estimate(80)).toBeNull();
    const second = limiter.admit(limited(null, 100), background);
    if (!isCharge(second)) throw new Error('refused');
    expect(second.estimate(30)).toMatchObject({ metric: 'tokens', limit: 100 });
    expect(second.estimate(101)).toMatchObject({ retryAfter: null });
    charge.settle(10);
    charge.settle(10_000);
    expect(second.estimate(90)).toBeNull();
    second.settle(500);
    const third = limiter.admit(limited(null, 100), background);
    expect(isCharge(third) && third.estimate(1)).toMatchObject({ metric: 'tokens' });
  });
});

describe('many isolates', () => {
  test('pass the limit by no more than what comes to the others in one exchange', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 2, max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 20, max: 600 }),
        fc.integer({ min: 0, max: 400 }),
        async (count, perSecond, limit, latency) => {
          world = new World();
          world.latency = latency;
          const isolates = Array.from({ length: count }, () => world.isolate());
          const step = 1000 / perSecond;
          let admitted = 0;
          for (let at = 0; at < 59_000; at += step) {
            for (const isolate of isolates) {
              if (isCharge(isolate.admit(limited(limit), background))) admitted++;
            }
            await world.pass(step);
          }
          // Word of what another admitted comes with the exchange after the one that took it there.
          const between = 2 * (1 + (latency + 2 * step) / 1000);
          const overshoot = (count - 1) * perSecond * between + count;
          expect(admitted).toBeLessThanOrEqual(limit + overshoot);
          expect(admitted).toBeGreaterThanOrEqual(Math.min(limit, Math.floor(59_000 / step) * count) - count);
          // A second between two exchanges of one isolate.
          expect(world.exchanges).toBeLessThanOrEqual(count * 61);
        },
      ),
      { numRuns: 15 },
    );
  }, 30_000);

  test('a new one learns of the minute before, too', async () => {
    const first = world.isolate();
    for (let asked = 0; asked < 10; asked++) first.admit(limited(10), background);
    await world.pass(65_000);
    const second = world.isolate();
    // Nothing known yet: one goes through, and its exchange tells.
    expect(isCharge(second.admit(limited(10), background))).toBe(true);
    await world.pass(1);
    expect(isCharge(second.admit(limited(10), background))).toBe(false);
  });

  test('the last counts of a burst are sent, though nobody comes after', async () => {
    const first = world.isolate();
    first.admit(limited(10), background);
    await world.pass(10);
    for (let asked = 0; asked < 5; asked++) first.admit(limited(10), background);
    await world.pass(2_000);
    expect([...world.store.values()][0]).toMatchObject({ requests: 6 });
  });
});

describe('a store that is down', () => {
  test('each isolate limits by its own count, and asks now and then', async () => {
    world.down = true;
    const limiter = world.isolate();
    let admitted = 0;
    for (let second = 0; second < 50; second++) {
      if (isCharge(limiter.admit(limited(20), background))) admitted++;
      await world.pass(1000);
    }
    expect(admitted).toBe(20);
    expect(world.failures).toBeGreaterThan(0);
    expect(world.failures).toBeLessThan(12);
  });

  test('back again: nothing was sent twice, and the counts come together', async () => {
    const limiter = world.isolate();
    world.down = true;
    for (let asked = 0; asked < 3; asked++) limiter.admit(limited(100), background);
    await world.pass(10_000);
    world.down = false;
    for (let asked = 0; asked < 4; asked++) limiter.admit(limited(100), background);
    await world.pass(10_000);
    expect([...world.store.values()].reduce((sum, { requests }) => sum + requests, 0)).toBe(4);
  });

  test('work that died with its request does not stop the exchange for ever', async () => {
    const limiter = world.isolate();
    world.latency = 1e9;
    limiter.admit(limited(100), background);
    await world.pass(11_000);
    world.latency = 0;
    limiter.admit(limited(100), background);
    await world.pass(100);
    expect([...world.store.values()].length).toBeGreaterThan(0);
  });
});
