import type { CatalogModel } from '../../../src/core/routing/catalog.ts';
import { acceptMessages } from '../../../src/local/simulated/anthropic/messages.ts';
import type { Exchange } from '../../../src/local/simulated/exchange.ts';
import { acceptChat } from '../../../src/local/simulated/openai/chat.ts';
import { acceptResponses } from '../../../src/local/simulated/openai/responses.ts';
import { StoredResponses } from '../../../src/local/simulated/openai/stored-responses.ts';
import { PromptCache } from '../../../src/local/simulated/prompt-cache.ts';
import type { Refusal } from '../../../src/local/simulated/refusal.ts';

const NOW = Date.UTC(2026, 10, 23);
const AUTHORIZATION = { authorization: 'Bearer sk-test' };

/** The strict simulator's judgement of a body, without a server. */
export function submit(target: CatalogModel, body: string): Exchange | Refusal {
  switch (target.wire) {
    case 'anthropic-messages':
      return acceptMessages(
        body,
        { ...AUTHORIZATION, 'anthropic-version': '2026-10-21' },
        new PromptCache(),
        NOW,
      );
    case 'openai-responses':
      return acceptResponses(body, AUTHORIZATION, new PromptCache(), new StoredResponses(), NOW);
    case 'openai-chat':
      return acceptChat(body, AUTHORIZATION, new PromptCache(), NOW);
  }
}

/** The same, for a body that has to be accepted. */
export function accepted(target: CatalogModel, body: string): Exchange {
  const outcome = submit(target, body);
  if ('status' in outcome) throw new Error(`${target.id} refused: ${outcome.message}\n${body}`);
  return outcome;
}
