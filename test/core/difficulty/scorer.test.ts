import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PRIOR } from '../../../src/core/difficulty/prior.ts';
import { scorerProfile } from '../../../src/core/difficulty/profile.ts';
import { classify } from '../../../src/core/difficulty/scorer.ts';
import { SIGNALS } from '../../../src/core/difficulty/signals.ts';
import { asking, conversation, HARD, HARD_CODE } from './conversations.ts';

describe('classify', () => {
  it.each([
    'What is the capital of France?',
    'Who won the world cup in 2018?',
    'What is the boiling point of water?',
    'Thanks!',
    'hey, how are you?',
    'List the US presidents since 1980',
    'I want to cancel my reservation EHGLP3.',
    'What is 2+2?',
  ])('finds %j easy', (text) => {
    expect(classify(asking(text))).toMatchObject({ label: 'easy', unknown: false });
  });

  it.each([
    'Summarize this article',
    'Explain transformer attention',
    'write a function to reverse a string',
    'Write a SQL query joining orders and customers',
    'Summarize the key points of this meeting transcript',
    'Write unit tests for this class',
  ])('finds %j medium', (text) => {
    expect(classify(asking(text))).toMatchObject({ label: 'medium', unknown: false });
  });

  it.each([
    HARD,
    HARD_CODE,
    'Refactor the authentication layer across our three microservices to use JWT, keeping backward compatibility',
    "There's an intermittent deadlock in our payment service; find the root cause and fix it",
    'Design a sharded key-value store with linearizable reads and explain the failure modes.',
  ])('finds %j hard', (text) => {
    expect(classify(asking(text))).toMatchObject({ label: 'hard', unknown: false });
  });

  it('takes a long article to be summarized for material, not for difficulty', () => {
    const article =
      'The council met on Tuesday to discuss the library, and several residents, who had waited, spoke. '.repeat(
        60,
      );
    expect(classify(asking(`Summarize this article:\n\n${article}`)).label).toBe('medium');
    expect(classify(asking(`${article}\n\nSummarize this.`)).label).toBe('medium');
  });

  it('answers the seven families, whose sum and the bias are the log-odds of the score', () => {
    const { signals, score } = classify(asking(HARD));
    expect(Object.keys(signals)).toEqual([
      'length',
      'reasoning',
      'math',
      'code',
      'lookup',
      'constraints',
      'loop',
    ]);
    const logit = PRIOR.bias + SIGNALS.reduce((sum, name) => sum + signals[name], 0);
    expect(score).toBeCloseTo(1 / (1 + Math.exp(-logit)), 10);
  });

  it('labels by the thresholds of the profile it is given', () => {
    const strict = { ...PRIOR, thresholds: { easy: 0, hard: 0.01 } };
    expect(classify(asking('What is the capital of France?'), strict).label).toBe('hard');
    const lax = { ...PRIOR, thresholds: { easy: 0.98, hard: 0.99 } };
    expect(classify(asking(HARD), lax).label).toBe('easy');
  });

  it('knows nothing of a request without a user', () => {
    expect(classify(conversation([]))).toMatchObject({ label: 'medium', unknown: true });
  });

  it('gives finite numbers from 0 to 1, the same every time, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
        const first = classify(asking(text));
        expect(first.score).toBeGreaterThanOrEqual(0);
        expect(first.score).toBeLessThanOrEqual(1);
        for (const name of SIGNALS) expect(Number.isFinite(first.signals[name])).toBe(true);
        if (first.unknown) expect(first.label).toBe('medium');
        expect(classify(asking(text))).toEqual(first);
      }),
    );
  });
});

describe('the shipped profile', () => {
  it('is a valid profile, also after a trip through JSON', () => {
    expect(scorerProfile.parse(JSON.parse(JSON.stringify(PRIOR)))).toEqual(PRIOR);
  });

  it('refuses a weight nobody knows, a missing family and crossed thresholds', () => {
    const wrong = [
      { ...PRIOR, weights: { ...PRIOR.weights, code: { ...PRIOR.weights.code, vibes: 1 } } },
      { ...PRIOR, weights: { ...PRIOR.weights, loop: undefined } },
      { ...PRIOR, thresholds: { easy: 0.6, hard: 0.4 } },
      { ...PRIOR, extra: 1 },
    ];
    for (const profile of wrong) expect(scorerProfile.safeParse(profile).success).toBe(false);
  });
});
