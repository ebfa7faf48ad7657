import { describe, expect, it } from 'vitest';
import { openLoop } from '../../../src/core/difficulty/loop.ts';
import { classify } from '../../../src/core/difficulty/scorer.ts';
import { assistant, conversation, toolRound, user } from './conversations.ts';

const ASK = user('Add a --verbose flag to the CLI and run the tests');

describe('openLoop', () => {
  it('is null where a user or the assistant spoke last', () => {
    expect(openLoop([ASK], 0)).toBeNull();
    expect(openLoop([ASK, ...toolRound(1, 'ok'), assistant('Done.')], 0)).toBeNull();
  });

  it('counts rounds, and failures up to the last', () => {
    const rounds = [
      ...toolRound(1, 'Error: no such file'),
      ...toolRound(2, 'ok', 'ls {}'),
      ...toolRound(3, 'exit code: 1', 'run {}'),
    ];
    expect(openLoop([ASK, ...rounds], 0)).toEqual({ rounds: 3, failures: 1, repeated: false });
  });

  it.each([
    'TypeError: x is not a function',
    '{"error": "not found"}',
    'Traceback (most recent call last):\n  File "a.py"',
    `${'.'.repeat(2_000)}\nProcess exited with code 2`,
  ])('takes %.40s for a failure', (result) => {
    expect(openLoop([ASK, ...toolRound(1, result)], 0)?.failures).toBe(1);
  });

  it.each(['', '{"error": null, "rows": []}', 'No errors found', 'exit code: 0'])(
    'takes %j for none',
    (result) => {
      expect(openLoop([ASK, ...toolRound(1, result)], 0)?.failures).toBe(0);
    },
  );

  it('sees a call made again', () => {
    expect(openLoop([ASK, ...toolRound(1, 'a'), ...toolRound(2, 'a')], 0)?.repeated).toBe(true);
  });

  it('raises a step that fails again and again above one that goes well', () => {
    const well = classify(conversation([ASK, ...toolRound(1, 'ok')]));
    const stuck = classify(
      conversation([
        ASK,
        ...toolRound(1, 'Error: x'),
        ...toolRound(2, 'Error: x'),
        ...toolRound(3, 'Error: x'),
      ]),
    );
    expect(well.signals.loop).toBe(0);
    expect(stuck.signals.loop).toBeGreaterThan(0.5);
    expect(stuck.score).toBeGreaterThan(well.score);
  });
});
