import type { Conversation } from '../../src/core/conversation.ts';
import type { ClientDialect } from '../../src/core/dialects/client-dialect.ts';
import type { CatalogModel } from '../../src/core/routing/catalog.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { writeWireRequest } from '../../src/pipeline/wire-request.ts';
import { inParts } from './parts.ts';
import { cpuMsOf, MODELS, WRITERS } from './wires.ts';

const RUNS = 60;

/** What it costs to make a provider's request of a client's: parse, read, adapt, write or edit; plain, and every text in parts. */
export function measureRequest(
  client: ClientDialect,
  model: CatalogModel,
  conversation: Conversation,
): { kilobytes: number; cpuMs: number; partsCpuMs: number } {
  const rawBody = bodyOf(client, conversation);
  return {
    kilobytes: Math.round(rawBody.length / 1_024),
    cpuMs: measureBody(client, model, rawBody),
    partsCpuMs: measureBody(client, model, inParts(client.wire, rawBody)),
  };
}

function measureBody(client: ClientDialect, model: CatalogModel, rawBody: string): number {
  const candidate = { provider: 'bench', name: model.id, model, tier: null };
  const work = (): void => {
    const body: unknown = JSON.parse(rawBody);
    const read = client.read(body, rawBody);
    const prepared = prepare(read.conversation, model, { defaultMaxTokens: 16_384, to: candidate });
    const request = { ...read, wire: client.wire, rawBody, body, userHash: null };
    if (writeWireRequest(request, candidate, prepared) === '') throw new RangeError('an empty body');
  };
  return cpuMsOf(work, RUNS);
}

/** The conversation as a client of that wire sends it. */
function bodyOf({ wire }: ClientDialect, conversation: Conversation): string {
  const own = MODELS.find((model) => model.wire === wire);
  if (own === undefined) throw new RangeError(`no model of ${wire}`);
  const prepared = prepare(conversation, own, { defaultMaxTokens: 16_384 });
  return WRITERS[wire](prepared.conversation, own, { stream: true, modelId: 'auto' });
}
