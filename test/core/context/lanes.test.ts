import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { usageOf } from '../../../src/core/accounting/usage.ts';
import { cacheRulesOf } from '../../../src/core/context/cache-rules.ts';
import { chainOf } from '../../../src/core/context/lane-chain.ts';
import {
  advanceLane,
  type FoundLane,
  findLane,
  keepsLane,
  type Lane,
} from '../../../src/core/context/lanes.ts';
import type { Message } from '../../../src/core/conversation.ts';
import { findModel } from '../../../src/core/routing/catalog.ts';

const sha = (text: string) => createHash('sha256').update(text).digest('base64url').slice(0, 22);
const user = (text: string): Message => ({ role: 'user', content: [{ type: 'text', text }] });
const says = (text: string): Message => ({ role: 'assistant', content: [{ type: 'text', text }] });
const KEY = 'anthropic/claude-opus-5-5';
const opus = findModel('anthropic', 'claude-opus-5-5');
if (!opus) throw new Error('no opus');
const rules = cacheRulesOf(opus);

/** A session that answers: what its object does with lanes. */
class Session {
  lanes = new Map<string, Lane>();
  #next = 0;
  #now = 1_000_000;

  begin(messages: Message[]) {
    this.#now += 1_000;
    const question = { chain: chainOf(messages, sha), at: this.#now };
    return {
      found: findLane([...this.lanes.values()], question, () => `lane-${this.#next++}`),
      question,
      messages,
    };
  }

  settle({ found, question, messages }: ReturnType<Session['begin']>, answer: string | null): string {
    const written = messages.length * 1_000;
    const warm = found.lane.prefixes[KEY]?.[0]?.tokens ?? 0;
    const next = advanceLane(found.lane, {
      question,
      answered: answer === null ? null : (chainOf([says(answer)], sha, question.chain.at(-1))[0] ?? null),
      last: null,
      served: answer === null ? null : { provider: 'anthropic', name: 'claude-opus-5-5' },
      isThought: answer !== null,
      floor: 'hard',
      number: found.lane.steps + 1,
      tokens: written,
      output: 10,
      blocks: messages.length,
      at: question.at / 1_000,
      cache:
        answer === null
          ? null
          : {
              key: KEY,
              rules,
              usage: usageOf({ read: warm, write_5m: written - warm }),
              prompt: {
                ...{ tokens: written, blocks: messages.length, at: question.at / 1_000 },
                ...{ parts: {}, before: { system: 300, messages: 700, turn: 0 }, trailing: true },
              },
            },
    });
    const isKept = keepsLane(this.lanes.get(next.id), found.base, next);
    const id = isKept || found.base === null ? next.id : `lane-${this.#next++}`;
    this.lanes.set(id, { ...next, id });
    return id;
  }

  step(messages: Message[], answer: string): { id: string; found: FoundLane } {
    const begun = this.begin(messages);
    return { id: this.settle(begun, answer), found: begun.found };
  }
}

describe('the lane a step goes on with', () => {
  test('is the one whose messages begin its own, step after step', () => {
    const session = new Session();
    const first = session.step([user('a')], 'b');
    const second = session.step([user('a'), says('b'), user('c')], 'd');
    expect(second.id).toBe(first.id);
    expect(session.lanes.get(first.id)).toMatchObject({ steps: 2, served: { name: 'claude-opus-5-5' } });
    expect(session.lanes.get(first.id)?.prefixes[KEY]?.[0]?.tokens).toBe(3_000);
  });

  test('two identical openings in parallel are two lanes, and each goes on with its own answer', () => {
    const session = new Session();
    const [one, two] = [session.begin([user('a')]), session.begin([user('a')])];
    const [first, second] = [session.settle(one, 'b'), session.settle(two, 'B')];
    expect(first).not.toBe(second);
    expect(session.step([user('a'), says('B'), user('c')], 'd').id).toBe(second);
    expect(session.step([user('a'), says('b'), user('c')], 'd').id).toBe(first);
  });

  test('of two steps that extend one lane the first to settle keeps it', () => {
    const session = new Session();
    const { id } = session.step([user('a')], 'b');
    const open = [user('a'), says('b')];
    const [one, two] = [session.begin([...open, user('c')]), session.begin([...open, user('C')])];
    expect(session.settle(two, 'D')).toBe(id);
    const fork = session.settle(one, 'd');
    expect(fork).not.toBe(id);
    expect(session.step([...open, user('c'), says('d'), user('e')], 'f').id).toBe(fork);
  });

  test('sub-agents under one name do not mix, and find the shared head warm', () => {
    const session = new Session();
    const main = session.step([user('main task')], 'ok');
    const sub = session.step([user('sub task')], 'ok');
    expect(sub.id).not.toBe(main.id);
    expect(sub.found.lane.prefixes[KEY]?.[0]).toMatchObject({ tokens: 700 });
  });

  test('a retry stays in its lane, and with another answer leaves the first as it was', () => {
    const session = new Session();
    const { id } = session.step([user('a')], 'b');
    const failed = session.begin([user('a'), says('b'), user('c')]);
    expect(session.settle(failed, null)).toBe(id);
    expect(session.step([user('a'), says('b'), user('c')], 'd').id).toBe(id);
    expect(session.lanes.get(id)?.steps).toBe(2);
    const again = session.step([user('a'), says('b'), user('c')], 'D');
    expect(again.id).not.toBe(id);
    expect(session.step([user('a'), says('b'), user('c'), says('d'), user('e')], 'f').id).toBe(id);
  });

  test('an edited history opens a lane that keeps what is warm before the edit', () => {
    const session = new Session();
    const long = [user('a'), says('b'), user('c'), says('d'), user('e')];
    session.step(long.slice(0, 1), 'b');
    session.step(long.slice(0, 3), 'd');
    const { id } = session.step(long, 'f');
    const edited = session.step([...long.slice(0, 3), says('d'), user('E')], 'F');
    expect(edited.id).not.toBe(id);
    // Up to "c", where the second request ended.
    expect(edited.found.lane.prefixes[KEY]?.[0]).toMatchObject({ tokens: 3_000, blocks: 3 });
  });

  test('lanes never mix, whatever order parallel conversations come in', () => {
    const order = fc.array(fc.nat(3), { minLength: 4, maxLength: 30 });
    fc.assert(
      fc.property(order, (turns) => {
        const session = new Session();
        const talks = new Map<number, { messages: Message[]; id: string }>();
        for (const [n, who] of turns.entries()) {
          // Two of them open with the same words.
          const talk = talks.get(who) ?? { messages: [user(who < 2 ? 'same' : `own ${who}`)], id: '' };
          const answer = `answer ${n}`;
          const { id } = session.step(talk.messages, answer);
          if (talk.id !== '') expect(id).toBe(talk.id);
          talks.set(who, { messages: [...talk.messages, says(answer), user(`next ${n}`)], id });
        }
        expect(new Set([...talks.values()].map(({ id }) => id)).size).toBe(talks.size);
      }),
    );
  });
});
