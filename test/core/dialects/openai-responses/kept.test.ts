import { describe, expect, test } from 'vitest';
import {
  createAnswerKeeper,
  RESPONSES_KEEPING,
} from '../../../../src/core/dialects/openai-responses/kept.ts';

const { named, resolve, keepable, wanted } = RESPONSES_KEEPING;
const call = { type: 'function_call', id: 'fc_1', call_id: 'call_1', name: 'a', arguments: '{}' };

test('an answer and its items are named by their ids', () => {
  expect(named({ input: 'Hi' })).toBeNull();
  expect(named({ input: [{ role: 'user', content: 'Hi' }], previous_response_id: null })).toBeNull();
  expect(named({ input: 'Hi', previous_response_id: 'resp_1' })).toEqual({ response: 'resp_1', items: [] });
  expect(
    named({ input: [{ type: 'item_reference', id: 'fc_1' }, { id: 'msg_1' }, { role: 'user', id: 'x' }] }),
  ).toEqual({ items: ['fc_1', 'msg_1'] });
  expect(() => named({ previous_response_id: 'resp_1', conversation: 'conv_1' })).toThrow('send one of them');
});

describe('what was kept stands where it was named, as text', () => {
  const kept = '{"role":"user", "content":"Hi","n":1.0},{"role":"assistant","content":"Hello."}';

  test.each([
    ['a text', '"And?"', `[${kept},{"role":"user","content":"And?"}]`],
    ['items', '[ {"role":"user","n":2.0} ]', `[${kept},{"role":"user","n":2.0}]`],
    ['none', '[]', `[${kept}]`],
  ])('before %s', (_name, input, whole) => {
    const raw = `{"model":"auto", "input": ${input}, "previous_response_id":"resp_1", "x":1e2}`;
    const found = { response: kept, items: new Map() };
    expect(resolve(raw, JSON.parse(raw), found)).toBe(`{"model":"auto", "input": ${whole}, "x":1e2}`);
  });

  test('in place of each item; one that is not found stays', () => {
    const raw =
      '{"input":[{"type":"item_reference","id":"fc_1"},{"role":"user","content":"x"},{"type":"item_reference","id":"fc_2"}]}';
    const items = new Map([['fc_1', JSON.stringify(call)]]);
    expect(JSON.parse(resolve(raw, JSON.parse(raw), { items }))).toEqual({
      input: [call, { role: 'user', content: 'x' }, { type: 'item_reference', id: 'fc_2' }],
    });
  });
});

test('an answer is kept with what came before it, and each item under its own id', () => {
  const kept = keepable('{"input":"Hi"}', { id: 'resp_1', items: [call, { type: 'odd' }] });
  expect(kept.response).toBe(`{"role":"user","content":"Hi"},${JSON.stringify(call)},{"type":"odd"}`);
  expect([...kept.items.keys()]).toEqual(['fc_1']);
  expect([wanted({}), wanted({ store: true }), wanted({ store: false })]).toEqual([true, true, false]);
});

test('reasoning is kept where it can go back: sealed, and before what came of it', () => {
  const keeper = createAnswerKeeper();
  const sealed = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'x' };
  const output = [
    sealed,
    { ...sealed, id: 'rs_2', encrypted_content: null },
    call,
    { ...sealed, id: 'rs_3' },
  ];
  keeper.take({ id: 'resp_1', status: 'completed', output });
  expect(keeper.kept()).toEqual({ id: 'resp_1', items: [sealed, call] });
});

test('an answer that failed is not kept', () => {
  const keeper = createAnswerKeeper();
  keeper.take({ id: 'resp_1', status: 'failed', output: [call] });
  expect(keeper.kept()).toBeNull();
});
