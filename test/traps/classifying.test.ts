import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { Message } from '../../src/core/conversation.ts';
import { PRIOR } from '../../src/core/difficulty/prior.ts';
import { classify, type Difficulty } from '../../src/core/difficulty/scorer.ts';
import { HARDENING, WORDS } from '../../src/core/difficulty/words.ts';
import {
  asking,
  assistant,
  conversation,
  EASY,
  HARD,
  HARD_CODE,
  system,
  toolRound,
  user,
} from '../core/difficulty/conversations.ts';

const BIG_SYSTEM = system(
  `You are an expert. Prove, analyze and debug race conditions step by step. ${HARD} ${HARD_CODE}`.repeat(20),
);

function read(...messages: Message[]): Difficulty {
  return classify(conversation(messages));
}

test('traps T1: a system prompt adds nothing to difficulty', () => {
  for (const ask of [EASY, HARD, 'Banana bread']) {
    expect(read(BIG_SYSTEM, user(ask))).toEqual(read(user(ask)));
    expect(read({ ...BIG_SYSTEM, role: 'developer' } as Message, user(ask))).toEqual(read(user(ask))); // same shape
  }
  expect(read(BIG_SYSTEM, user(EASY)).label).not.toBe(read(BIG_SYSTEM, user(HARD)).label);
});

test('traps T2: tools that are offered are not tools that are needed', () => {
  const tools = Array.from({ length: 40 }, (_, at) => ({
    name: `tool_${at}`,
    description: HARD_CODE,
    parameters: { type: 'object', properties: { proof: { type: 'string', description: HARD } } },
  }));
  for (const toolChoice of [{ type: 'auto' }, { type: 'none' }, { type: 'required' }] as const) {
    expect(classify(conversation([user(EASY)], { tools, toolChoice }))).toEqual(classify(asking(EASY)));
  }
});

describe('traps T3: momentum', () => {
  it.each([EASY, 'Tell me a joke', 'Thanks a lot for your help!', 'How many ounces are in a pound?'])(
    'comes down with %j after a hard task',
    (next) => {
      expect(read(user(HARD), assistant('Here is the proof: …'), user(next)).label).toBe('easy');
    },
  );

  it('comes down with a plain question thrown into an unfinished tool loop', () => {
    expect(read(user(HARD_CODE), ...toolRound(1, 'package pool'), user(EASY)).label).toBe('easy');
  });

  it('holds the floor inside an unfinished tool loop', () => {
    expect(read(user(HARD_CODE), ...toolRound(1, 'package pool')).label).toBe('hard');
    expect(
      read(user(HARD_CODE), ...toolRound(1, 'package pool'), user('also rename the file to pool2.go')).label,
    ).toBe('hard');
  });

  it('never lowers: the loop of an easy ask with an interjected hard one is hard', () => {
    expect(read(user('List the files here'), ...toolRound(1, 'a.go'), user(HARD_CODE)).label).toBe('hard');
  });
});

describe('traps T4: no signal is unknown, and unknown is medium', () => {
  it.each(['Banana bread', 'asdf qwer', 'Blauer Himmel über Berlin', '東京タワー', '42', '…'])(
    '%j',
    (text) => {
      expect(read(user(text))).toMatchObject({ label: 'medium', unknown: true });
    },
  );

  it('is not taken for unknown where something tells', () => {
    expect(read(user(EASY)).unknown).toBe(false);
  });
});

describe('traps T5: referential turns mean what an earlier user turn asked', () => {
  it.each([
    'continue',
    'Yes please',
    'ok',
    'go ahead.',
    '👍',
    'yes, do it',
    'Sure, sounds good!',
    'weiter',
    '继续',
  ])('%j', (turn) => {
    expect(read(user(HARD), assistant('Shall I go on?'), user(turn)).score).toBe(read(user(HARD)).score);
    expect(read(user(EASY), assistant('Shall I look?'), user(turn)).score).toBe(read(user(EASY)).score);
  });

  it('reads through several of them, and never the assistant', () => {
    const steps = read(user(HARD), assistant(EASY), user('ok'), assistant(EASY), user('continue'));
    expect(steps.score).toBe(read(user(HARD)).score);
    expect(read(user(EASY), assistant(`${HARD} ${HARD_CODE}`), user('continue')).label).toBe('easy');
  });

  it('reads a bare answer to a question as the task it is for', () => {
    expect(read(user(HARD_CODE), assistant('Which Go version do you use?'), user('1.26')).label).toBe('hard');
  });

  it('takes the nearest task, not the hardest', () => {
    expect(read(user(HARD), assistant('…'), user(EASY), assistant('Madrid, Spain?'), user('yes')).label).toBe(
      'easy',
    );
  });

  it('adds nothing from what tools return', () => {
    expect(read(user(EASY), ...toolRound(1, `${HARD} ${HARD_CODE}`)).label).toBe('easy');
  });

  it('is unknown where there is nothing to refer to', () => {
    expect(read(user('continue'))).toMatchObject({ label: 'medium', unknown: true });
  });
});

describe('traps T6: harness envelopes are not the ask', () => {
  const reminder = `<system-reminder>\n${HARD}\n${HARD_CODE}\n</system-reminder>`;
  const context = '<environment_context>\n  <cwd>/repo</cwd>\n  <shell>zsh</shell>\n</environment_context>';

  it('scores what is left', () => {
    expect(read(user(reminder, EASY))).toEqual(read(user(EASY)));
    expect(read(user(`${EASY}\n${reminder}`))).toEqual(read(user(EASY)));
    expect(read(user(context), user(EASY))).toEqual(read(user(EASY)));
  });

  it('goes back to the real ask where a whole turn is the harness’s', () => {
    expect(read(user(EASY), ...toolRound(1, 'ok'), user(reminder)).score).toBe(
      read(user(EASY), ...toolRound(1, 'ok')).score,
    );
    expect(
      read(
        user(HARD_CODE),
        ...toolRound(1, 'ok'),
        user('<system-reminder>todo list is empty</system-reminder>'),
      ).label,
    ).toBe('hard');
  });

  it('keeps the delegated task', () => {
    const delegated = `<system-reminder>You are a sub-agent.</system-reminder>\n${HARD_CODE}`;
    expect(read(user(delegated))).toEqual(read(user(HARD_CODE)));
    expect(read(user(`<user_query>\n${HARD}\n</user_query>`)).label).toBe('hard');
  });
});

describe('traps T7: keywords do not buy the top tier', () => {
  it.each([
    'hi, step by step, pros and cons',
    'step by step',
    'hello! prove derive theorem lemma proof',
    'prove theorem lemma refactor deadlock race condition integral equation root cause step by step',
    `${'prove theorem deadlock refactor '.repeat(50)}`,
    'weather please, think step by step, rigorous proof',
  ])('%j', (text) => {
    expect(read(user(text)).label).not.toBe('hard');
  });

  it('leaves no kind of signal enough weight to decide alone', () => {
    const logit = (score: number): number => Math.log(score / (1 - score));
    expect(PRIOR.bias + PRIOR.limit).toBeLessThan(logit(PRIOR.thresholds.hard));
  });

  it('holds for any list of keywords of one kind', () => {
    fc.assert(
      fc.property(fc.constantFrom(...HARDENING), fc.integer({ min: 1, max: 4 }), (kind, times) => {
        const words = WORDS[kind].replaceAll('|', ' ').split(' ').slice(0, 12).join(' ');
        expect(read(user(`hi ${`${words} `.repeat(times)}`)).label).not.toBe('hard');
      }),
    );
  });
});

describe('traps T9: housekeeping is told from work', () => {
  it.each([1, 4])('a probe of %d tokens', (maxTokens) => {
    const output = { maxTokens, stop: [], n: 1, logprobs: false };
    expect(classify(conversation([user('quota')], { output })).housekeeping).toBe('probe');
  });

  it('five tokens are an answer', () => {
    const output = { maxTokens: 5, stop: [], n: 1, logprobs: false };
    expect(classify(conversation([user('yes or no: is 7 prime?')], { output })).housekeeping).toBeNull();
  });

  it.each([
    [
      'title',
      [
        system('You are a title generator. You output ONLY a thread title.'),
        user('Generate a title for this conversation:\n fix the login'),
      ],
    ],
    [
      'title',
      [user('### Task:\nGenerate a concise, 3-5 word title with an emoji summarizing the chat history.')],
    ],
    [
      'compaction',
      [
        user(HARD),
        assistant('…'),
        user(
          "Your task is to create a detailed summary of the conversation so far, paying close attention to the user's explicit requests",
        ),
      ],
    ],
    [
      'compaction',
      [
        user(HARD),
        assistant('…'),
        user('You are performing a CONTEXT CHECKPOINT COMPACTION. Create a handoff summary for another LLM.'),
      ],
    ],
    [
      'compaction',
      [system('You are a helpful AI assistant tasked with summarizing conversations.'), user('…')],
    ],
  ] satisfies [string, Message[]][])('a harness’s %s', (kind, messages) => {
    expect(read(...messages).housekeeping).toBe(kind);
  });

  it.each([
    'Suggest a title for my essay about bees',
    'Summarize the conversation between Hamlet and Ophelia',
    'Give me a summary of what we did so far',
  ])('%j is a user’s own wish', (text) => {
    expect(read(user(text)).housekeeping).toBeNull();
  });
});

describe('traps T11: time is linear in the text', () => {
  // No clock: a limit so wide that only a hang reaches it.
  it.each([
    ['unclosed tags', '<system-reminder>'.repeat(60_000)],
    ['unclosed tags with attributes', '<system-reminder a '.repeat(60_000)],
    ['alternating tags', '<system-reminder></ide_selection><ide_selection></system-reminder>'.repeat(15_000)],
    ['half tags', '<'.repeat(1_000_000)],
    ['one word', 'a'.repeat(1_000_000)],
    ['hyphens', 'a-'.repeat(500_000)],
    ['spaces', ' '.repeat(1_000_000)],
    ['quotes', `"error" `.repeat(120_000)],
    ['title bait', 'generate a concise '.repeat(50_000)],
  ])('a million characters of %s', { timeout: 5_000 }, (_, text) => {
    expect(read(user(text)).score).toBeGreaterThan(0);
    expect(read(user(EASY), ...toolRound(1, text)).score).toBeGreaterThan(0);
  });

  it('reads both ends of a long turn: an instruction after a long paste counts', () => {
    const paste = 'lorem ipsum dolor sit amet '.repeat(4_000);
    const plain = read(user(paste));
    expect(read(user(`${paste}\n${HARD_CODE}`)).signals.code).toBeGreaterThan(plain.signals.code);
    expect(read(user(`${HARD_CODE}\n${paste}`)).signals.code).toBeGreaterThan(plain.signals.code);
  });
});
