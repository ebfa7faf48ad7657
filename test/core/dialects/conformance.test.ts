import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import * as chat from '../../../src/core/dialects/openai-chat/request.ts';
import * as responses from '../../../src/core/dialects/openai-responses/request.ts';
import { excludedBy, needsOf } from '../../../src/core/routing/capability.ts';
import { prepare } from '../../../src/pipeline/prepare.ts';
import { hasDescription, violations } from '../../journeys/conformance.ts';
import { conversation } from './arbitraries.ts';
import { model } from './conversations.ts';

// Twelve hours came after the description (2026-08): openai (node) 7.57.0 has them.
const withoutTwelveHours = (body: string) => body.replaceAll(/,?"ttl":"12h"/g, '');

describe.runIf(hasDescription)("any request upstream is valid by OpenAI's description", () => {
  test.each([
    ['gpt-6-luna', responses.writeRequest, 'CreateResponse'],
    ['gpt-5', chat.writeRequest, 'CreateChatCompletionRequest'],
    ['gpt-4o', chat.writeRequest, 'CreateChatCompletionRequest'],
  ] as const)('%s', (id, write, schema) => {
    const target = model('openai', id);
    const options = { defaultMaxTokens: 16_384, to: { provider: 'here', name: id } };
    fc.assert(
      fc.property(conversation, (given) => {
        fc.pre(excludedBy(target, needsOf(given)) === null);
        const prepared = prepare(given, target, options);
        const body = write(prepared.conversation, target, { stream: true, modelId: id, userHash: 'f00d' });
        expect(violations(schema, JSON.parse(withoutTwelveHours(body)))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });
});
