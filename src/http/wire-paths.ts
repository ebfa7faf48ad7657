import type { Wire } from '../core/routing/catalog.ts';

/** Where steps of each wire come in. */
export const WIRE_PATHS: Readonly<Record<Wire, string>> = {
  'openai-chat': '/v1/chat/completions',
  'openai-responses': '/v1/responses',
  'anthropic-messages': '/v1/messages',
};
