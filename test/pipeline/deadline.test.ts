import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Deadline } from '../../src/pipeline/deadline.ts';

let expired = 0;
beforeEach(() => {
  expired = 0;
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});
const deadline = () => new Deadline(() => expired++);

test('it is put off again and again, and told once when nothing came', () => {
  const silence = deadline();
  for (let chunk = 0; chunk < 50; chunk++) {
    silence.set(100);
    vi.advanceTimersByTime(90);
  }
  expect(expired).toBe(0);
  vi.advanceTimersByTime(10);
  expect(expired).toBe(1);
  vi.advanceTimersByTime(10_000);
  expect(expired).toBe(1);
});

test('a nearer one counts at once, though a later one was set before', () => {
  const silence = deadline();
  silence.set(300_000);
  silence.set(2_000);
  vi.advanceTimersByTime(2_000);
  expect(expired).toBe(1);
});

test('suspended it tells nothing, and works on when it is set again; cleared it leaves no timer', () => {
  const silence = deadline();
  silence.set(100);
  silence.suspend();
  vi.advanceTimersByTime(1_000);
  expect(expired).toBe(0);
  silence.set(100);
  vi.advanceTimersByTime(100);
  expect(expired).toBe(1);
  silence.set(100);
  silence.clear();
  expect(vi.getTimerCount()).toBe(0);
});
