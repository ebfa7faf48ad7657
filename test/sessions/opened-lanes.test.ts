import { expect, test } from 'vitest';
import { openLane } from '../../src/core/context/lanes.ts';
import { OpenedLanes } from '../../src/sessions/opened-lanes.ts';

test('the latest thousand are remembered, until their objects know them', () => {
  const lanes = new OpenedLanes();
  for (let n = 0; n < 1_100; n += 1) lanes.keep(`acme:chain:${n}`, openLane(`lane-${n}`, n));
  expect(lanes.find('acme:chain:99')).toBeNull();
  expect(lanes.find('acme:chain:100')?.id).toBe('lane-100');
  // Answered once more, it is the newest.
  lanes.keep('acme:chain:100', openLane('again', 0));
  lanes.keep('acme:chain:new', openLane('new', 0));
  expect(lanes.find('acme:chain:100')?.id).toBe('again');
  expect(lanes.find('acme:chain:101')).toBeNull();
  lanes.forget('acme:chain:100');
  expect(lanes.find('acme:chain:100')).toBeNull();
  expect(lanes.find('globex:chain:new')).toBeNull();
});
