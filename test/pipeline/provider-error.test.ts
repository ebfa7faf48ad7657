import { expect, test } from 'vitest';
import { kindOf, toFluxError } from '../../src/pipeline/provider-error.ts';

const provider = {
  id: 'anthropic',
  kind: 'anthropic' as const,
  baseUrl: 'https://provider.test',
  keyVariable: 'ANTHROPIC_API_KEY',
};

/** What a client is told of a provider's 403. */
function told(code: string, message: string) {
  const kind = kindOf(403, code, message);
  const none = { type: null, param: null, retryAfter: null, requestId: null, ms: 0 };
  return toFluxError({ ...none, kind, status: 403, code, message }, provider);
}

test.each([
  ['Anthropic', 'forbidden', 'Request not allowed'],
  ['OpenAI', 'unsupported_country_region_territory', 'Country, region, or territory not supported'],
])('traps T61: %s refusing the region is egress_blocked, not the key', (_, code, message) => {
  const error = told(code, message);
  expect(error).toMatchObject({ status: 502, code: 'egress_blocked' });
  expect(error.message).toContain('placement');
});

test.each([
  [
    'a key without the right',
    'permission_error',
    'Your API key does not have permission to use the resource',
  ],
  ['those words without the type', 'permission_error', 'Request not allowed'],
  ['that type with other words', 'forbidden', 'This key was disabled'],
])('%s is a matter of the key', (_, code, message) => {
  expect(told(code, message)).toMatchObject({ status: 502, code: 'provider_auth' });
});
