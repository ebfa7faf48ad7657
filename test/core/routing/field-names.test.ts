import { expect, test } from 'vitest';
import type { Wire } from '../../../src/core/routing/catalog.ts';
import { planStep } from '../../../src/core/routing/plan.ts';
import { CLAUDE, inputOf, planInput } from './scenarios.ts';

test.each<[Wire, string, string]>([
  ['openai-chat', 'messages', 'response_format'],
  ['openai-responses', 'input', 'text.format'],
  ['anthropic-messages', 'messages', 'output_config.format'],
])('traps T8: what no candidate can take is named as clients of %s call it', (wire, messages, format) => {
  const named = (need: 'audio' | 'jsonObject') => {
    try {
      planStep(planInput({ wire, tiers: CLAUDE, needs: { capabilities: [need], input: inputOf(100) } }));
    } catch (error) {
      return error;
    }
    return null;
  };
  expect(named('audio')).toMatchObject({ status: 400, param: messages });
  expect(named('jsonObject')).toMatchObject({ status: 400, param: format });
});
