import { type Draw, drawing } from './draw.ts';
import { ERRANDS, type Visit } from './shop-errands.ts';
import { POLICY } from './shop-policy.ts';
import type { Message, Trajectory } from './trajectory.ts';

/**
 * Made-up conversations of a web shop's support agent: several errands each, with tools called one by one and side by
 * side, a word beside a call, empty results, and, in every fourth, call ids that repeat (as in real logs). The same
 * seed gives the same trajectories.
 */
export function makeTrajectories(count: number, seed: number): Trajectory[] {
  return Array.from({ length: count }, (_, index) => makeTrajectory(index, drawing(seed * 100_003 + index)));
}

function makeTrajectory(index: number, draw: Draw): Trajectory {
  const messages: Message[] = [{ role: 'system', content: POLICY }];
  const customer = `C-${10_000 + index}`;
  const repeatsIds = index % 4 === 3;
  let calls = 0;
  const visit: Visit = {
    draw,
    customer,
    user: (content) => messages.push({ role: 'user', content }),
    say: (content) => messages.push({ role: 'assistant', content, tool_calls: [] }),
    call: (called, content = '') => {
      const toolCalls = called.map(({ name, args }) => ({
        id: repeatsIds ? `call_${name}` : `call_${index}_${++calls}`,
        function: { name, arguments: JSON.stringify(args) },
      }));
      messages.push({ role: 'assistant', content, tool_calls: toolCalls });
      toolCalls.forEach(({ id }, at) => {
        messages.push({ role: 'tool', tool_call_id: id, content: called[at]?.result ?? '' });
      });
    },
  };
  visit.user(
    draw.pick([
      `Hi, customer number ${customer} here. Do you have a minute?`,
      `Hello! I need help with an order. My number is ${customer}.`,
      `${customer} – two things have gone wrong, and I'd like both sorted out today.`,
    ]),
  );
  visit.call([
    {
      name: 'get_customer',
      args: { customer_id: customer },
      result: JSON.stringify({
        customer_id: customer,
        tier: draw.pick(['basic', 'plus']),
        since: draw.date(),
      }),
    },
  ]);
  visit.say('Thank you, I have your account open. What can I do for you?');
  const errands = draw.whole(1, 4);
  for (let errand = 0; errand < errands; errand += 1) draw.pick(ERRANDS)(visit);
  return { id: `made-up/${index}`, messages };
}
