import { test } from 'vitest';

/**
 * Runs `body` where the real server is installed. Under CI it must be: there the tests fail without it;
 * elsewhere they are skipped and their name says why.
 */
export function withRealServer(name: string, installed: boolean, body: () => void): void {
  if (installed) body();
  else if (process.env.CI === 'true') {
    test(`${name} is installed`, () => {
      throw new Error(`${name} is not installed, and under CI it has to be: apt-get install it`);
    });
  } else {
    test.skip(`not run: ${name} is not installed`, () => {});
  }
}
