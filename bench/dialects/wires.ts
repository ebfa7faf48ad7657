import { ANTHROPIC_MESSAGES } from '../../src/core/dialects/anthropic-messages/dialect.ts';
import { createEventReader as readMessageEvents } from '../../src/core/dialects/anthropic-messages/events.ts';
import { writeRequest as writeMessages } from '../../src/core/dialects/anthropic-messages/request.ts';
import type { ClientDialect } from '../../src/core/dialects/client-dialect.ts';
import { OPENAI_CHAT } from '../../src/core/dialects/openai-chat/dialect.ts';
import { createEventReader as readChatEvents } from '../../src/core/dialects/openai-chat/events.ts';
import { writeRequest as writeChat } from '../../src/core/dialects/openai-chat/request.ts';
import { OPENAI_RESPONSES } from '../../src/core/dialects/openai-responses/dialect.ts';
import { createEventReader as readResponsesEvents } from '../../src/core/dialects/openai-responses/events.ts';
import { writeRequest as writeResponses } from '../../src/core/dialects/openai-responses/request.ts';
import { type CatalogModel, findModel, type ProviderKind } from '../../src/core/routing/catalog.ts';

/** The ways in. */
export const CLIENTS: readonly ClientDialect[] = [OPENAI_CHAT, ANTHROPIC_MESSAGES, OPENAI_RESPONSES];

/** One model for each way out. */
export const MODELS: readonly CatalogModel[] = [
  modelOf('anthropic', 'claude-sonnet-5-5'),
  modelOf('openai', 'gpt-6.1-terra'),
  modelOf('openai', 'gpt-4o'),
];

export const WRITERS = {
  'anthropic-messages': writeMessages,
  'openai-responses': writeResponses,
  'openai-chat': writeChat,
};

export const EVENT_READERS = {
  'anthropic-messages': readMessageEvents,
  'openai-responses': readResponsesEvents,
  'openai-chat': readChatEvents,
};

function modelOf(kind: ProviderKind, id: string): CatalogModel {
  const model = findModel(kind, id);
  if (model === undefined) throw new RangeError(`${id} is not in the catalogue`);
  return model;
}

/** Milliseconds of CPU that one run of `work` takes, in the middle of several rounds; collecting garbage included. */
export function cpuMsOf(work: () => void, runs: number): number {
  const rounds: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    const before = process.cpuUsage();
    for (let run = 0; run < runs; run += 1) work();
    const { user, system } = process.cpuUsage(before);
    rounds.push((user + system) / 1_000 / runs);
  }
  // The first rounds warm up.
  const warm = rounds.slice(2).toSorted((a, b) => a - b);
  return warm[Math.floor(warm.length / 2)] ?? Number.NaN;
}
