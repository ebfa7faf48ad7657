import { describe, expect, it } from 'vitest';
import { openLanes } from '../../../src/cli/replay/open-lanes.ts';
import { type RunningLane, startLane } from '../../../src/cli/replay/running-lane.ts';
import type { Message } from '../../../src/core/conversation.ts';

const says = (role: 'system' | 'user' | 'assistant', text: string): Message => ({
  role,
  content: [{ type: 'text', text }],
});
const calls = (id: string, args: string): Message => ({
  role: 'assistant',
  content: [{ type: 'tool_call', id, name: 'order', arguments: args }],
});

function lanes({ limit = 100, idleMs = 3_600_000 } = {}) {
  const opened: RunningLane[] = [];
  const closed: number[] = [];
  const open = () => {
    opened.push(startLane());
    return opened.at(-1) ?? startLane();
  };
  const books = openLanes({ limit, idleMs }, open, (lane) => closed.push(opened.indexOf(lane)));
  /** The number of the lane a request falls into. */
  const ask = (messages: Message[], answer: Message | null = null, at: number | null = null) =>
    opened.indexOf(books.laneOf(messages, answer, at));
  return { ask, closed, closeAll: () => books.closeAll() };
}

describe('a request', () => {
  it('continues its own lane, sub-agents between', () => {
    const { ask } = lanes();
    const main = [says('system', 'You are the main agent.'), says('user', 'Fix it.')];
    const sub = [says('system', 'You search.'), says('user', 'Find it.')];
    const order = [
      ask(main, calls('1', '{"a":1,"b":2}')),
      ask(sub, says('assistant', 'Looking.')),
      ask([...main, calls('2', '{"b":2, "a":1}'), says('user', 'Well?')], says('assistant', 'Done.')),
      ask([...sub, says('assistant', 'Looking. '), says('user', 'Go on.')]),
      ask([
        ...main,
        calls('3', '{"a":1,"b":2}'),
        says('user', 'Well?'),
        says('assistant', 'Done.'),
        says('user', 'Thanks'),
      ]),
    ];
    expect(order).toEqual([0, 1, 0, 1, 0]);
  });

  it('continues the session that was answered so, of two that began alike', () => {
    const { ask } = lanes();
    const hi = [says('user', 'Hi')];
    expect([ask(hi, says('assistant', 'Hello')), ask(hi, says('assistant', 'Good day'))]).toEqual([0, 1]);
    expect(ask([...hi, says('assistant', 'Hello'), says('user', 'A')])).toBe(0);
    expect(ask([...hi, says('assistant', 'Good day'), says('user', 'B')])).toBe(1);
  });

  it('continues one of two sessions that are alike to the last word, and its other the other', () => {
    const { ask } = lanes();
    const hi = [says('user', 'Hi')];
    const on = [...hi, says('assistant', 'Hello'), says('user', 'A')];
    expect([ask(hi, says('assistant', 'Hello')), ask(hi, says('assistant', 'Hello'))]).toEqual([0, 1]);
    expect([ask(on), ask(on), ask(on)]).toEqual([0, 1, 2]);
  });

  it('opens a lane of its own where it is another try or another history', () => {
    const { ask } = lanes();
    const first = [says('user', 'Hi')];
    expect([ask(first), ask(first)]).toEqual([0, 1]);
    expect(ask([says('user', 'Hello'), says('assistant', 'x'), says('user', 'y')])).toBe(2);
  });

  it('is known by its messages alone where the log has no answers, or others', () => {
    const { ask } = lanes();
    const first = [says('user', 'Hi')];
    expect(ask(first, says('assistant', '<thinking> Hello'))).toBe(0);
    expect(ask([...first, says('assistant', 'Hello'), says('user', 'A')])).toBe(0);
  });
});

it('keeps so many lanes, and closes what was unused for longest', () => {
  const { ask, closed, closeAll } = lanes({ limit: 2 });
  for (const name of ['a', 'b', 'c', 'd']) ask([says('user', name)]);
  expect(closed).toEqual([0]);
  closeAll();
  expect(closed).toEqual([0, 1, 2, 3]);
});

it('closes a lane whose caches are cold', () => {
  const { ask, closed } = lanes({ idleMs: 1_000 });
  ask([says('user', 'a')], null, 10_000);
  ask([says('user', 'b')], null, 10_500);
  ask([says('user', 'c')], null, 11_200);
  expect(closed).toEqual([0]);
});
