import fc from 'fast-check';
import { describe, test } from 'vitest';
import type { Conversation } from '../../src/core/conversation.ts';
import { ANTHROPIC_MESSAGES } from '../../src/core/dialects/anthropic-messages/dialect.ts';
import * as anthropic from '../../src/core/dialects/anthropic-messages/request.ts';
import { hasCacheMarks } from '../../src/core/dialects/cache-marks.ts';
import type { ClientDialect } from '../../src/core/dialects/client-dialect.ts';
import { OPENAI_CHAT } from '../../src/core/dialects/openai-chat/dialect.ts';
import * as chat from '../../src/core/dialects/openai-chat/request.ts';
import { OPENAI_RESPONSES } from '../../src/core/dialects/openai-responses/dialect.ts';
import * as responses from '../../src/core/dialects/openai-responses/request.ts';
import { exclude } from '../../src/core/routing/candidates.ts';
import { excludedBy, needsOf } from '../../src/core/routing/capability.ts';
import type { CatalogModel } from '../../src/core/routing/catalog.ts';
import { carriedBy, isPortable } from '../../src/core/routing/portability.ts';
import { prepare } from '../../src/pipeline/prepare.ts';
import { writeWireRequest } from '../../src/pipeline/wire-request.ts';
import { conversation } from '../core/dialects/arbitraries.ts';
import { model } from '../core/dialects/conversations.ts';
import { accepted } from '../core/dialects/simulators.ts';
import { textOf } from './in-process.ts';

const OPTIONS = { defaultMaxTokens: 16_384 };

/** A client of one wire: how its bodies are written, and the settings it may send beside a conversation's own. */
interface Client {
  dialect: ClientDialect;
  write: typeof chat.writeRequest;
  /** The model its library thinks it is talking to. */
  own: CatalogModel;
  settings: fc.Arbitrary<Record<string, unknown>>;
}

const share = fc.double({ min: 0, max: 1, noNaN: true });
const optional = <T>(shape: { [K in keyof T]: fc.Arbitrary<T[K]> }) =>
  fc.record(shape, { requiredKeys: [] }) as fc.Arbitrary<Record<string, unknown>>;

const CLIENTS: Client[] = [
  {
    dialect: OPENAI_CHAT,
    write: chat.writeRequest,
    own: model('openai', 'gpt-4o'),
    settings: optional({
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      top_p: share,
      max_tokens: fc.constantFrom(1, 400, 9_000_000),
      max_completion_tokens: fc.constantFrom(1, 400, 9_000_000),
      reasoning_effort: fc.constantFrom('none', 'minimal', 'low', 'high', 'xhigh', 'max'),
      verbosity: fc.constantFrom('low', 'high'),
      stop: fc.constantFrom('END', ['a', ' '], null),
      stream_options: fc.constantFrom({ include_usage: true }, null),
      store: fc.boolean(),
      metadata: fc.constant({ team: 'search' }),
      user: fc.constant('someone'),
      safety_identifier: fc.constant('s'),
      service_tier: fc.constantFrom('auto', 'flex', 'priority'),
      prompt_cache_key: fc.constant('k'),
      prompt_cache_options: fc.constantFrom({ mode: 'explicit' }, { ttl: '30m' }),
      logit_bias: fc.constant({}),
      cache_control: fc.constantFrom({ type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }),
      seed: fc.integer(),
    }),
  },
  {
    dialect: ANTHROPIC_MESSAGES,
    write: anthropic.writeRequest,
    own: model('anthropic', 'claude-opus-4-6'),
    settings: optional({
      temperature: share,
      top_p: share,
      top_k: fc.constant(5),
      max_tokens: fc.constantFrom(1, 4_096, 9_000_000),
      thinking: fc.constantFrom(
        { type: 'adaptive', display: 'summarized' },
        { type: 'disabled' },
        { type: 'between_tools' },
        { type: 'enabled', budget_tokens: 1_024 },
      ),
      metadata: fc.constant({ user_id: 'u' }),
      service_tier: fc.constantFrom('auto', 'standard_only'),
      cache_control: fc.constantFrom(null, { type: 'ephemeral' }, { type: 'ephemeral', ttl: '1h' }),
      stop_sequences: fc.constantFrom([], ['END']),
    }),
  },
  {
    dialect: OPENAI_RESPONSES,
    write: responses.writeRequest,
    own: model('openai', 'gpt-6-luna'),
    settings: optional({
      instructions: fc.constantFrom('Be brief.', '', null),
      temperature: fc.double({ min: 0, max: 2, noNaN: true }),
      top_p: share,
      max_output_tokens: fc.constantFrom(1, 16, 9_000_000),
      reasoning: fc.constantFrom(
        { effort: 'none' },
        { effort: 'minimal' },
        { effort: 'max', summary: 'auto' },
      ),
      include: fc.constantFrom([], ['reasoning.encrypted_content']),
      store: fc.boolean(),
      metadata: fc.constant({ team: 'search' }),
      truncation: fc.constant('disabled'),
      user: fc.constant('someone'),
      prompt_cache_options: fc.constantFrom({ mode: 'explicit' }, { ttl: '12h' }),
    }),
  },
];

const TARGETS = [
  ...['claude-haiku-5-5', 'claude-opus-5-5', 'claude-sonnet-5-5', 'claude-sonnet-5', 'claude-haiku-4-5'].map(
    (id) => model('anthropic', id),
  ),
  ...['gpt-6-luna', 'gpt-6.2-sol', 'gpt-5.4', 'gpt-4o', 'gpt-5', 'o3'].map((id) => model('openai', id)),
];

/** A 400 of the provider's that its own clients get as it is: what they ask for together, it does not do. */
function isRefusedToItsOwn(wire: string, target: CatalogModel, { messages, output, tools }: Conversation) {
  if (wire !== target.wire) return false;
  if (wire === 'anthropic-messages')
    return output.format !== undefined && JSON.stringify(messages).includes('"citations":true');
  // The client's own tools stay as they are.
  return tools.some(({ parameters }) => parameters !== undefined && parameters.type !== 'object');
}

const WAYS = CLIENTS.flatMap((client) => TARGETS.map((target) => ({ client, target })));

describe('any legal conversation, as any client writes it, is accepted by any model', () => {
  test.each(WAYS)('$client.dialect.wire → $target.id', ({ client, target }) => {
    const { dialect, own, write, settings } = client;
    const candidate = { provider: 'here', name: target.id, model: target, tier: null };
    fc.assert(
      fc.property(conversation, settings, fc.boolean(), (given, set, stream) => {
        fc.pre(excludedBy(own, needsOf(given)) === null);
        const meant = prepare(given, own, {
          ...OPTIONS,
          to: { provider: 'here', name: own.id },
        }).conversation;
        const written = JSON.parse(write(meant, own, { stream, modelId: 'auto' }));
        // An automatic marker goes with a client's own only where their lifetimes agree.
        const { cache_control: automatic, ...others } = set;
        const body = {
          ...written,
          ...(hasCacheMarks(given) ? others : { ...others, cache_control: automatic }),
        };
        const read = dialect.read(body);
        const needs = needsOf(read.conversation);
        const { ownFields, conversation: asked } = read;
        fc.pre(
          exclude(candidate, { needs, wire: dialect.wire, ownFields, today: '2026-11-27' }, true) === null,
        );
        fc.pre(isPortable(carriedBy(asked.messages, dialect.wire), candidate));
        fc.pre(!isRefusedToItsOwn(dialect.wire, target, asked));
        const sameWire = dialect.wire === target.wire;
        const prepared = prepare(asked, target, { ...OPTIONS, to: candidate, sameWire });
        const request = {
          ...read,
          wire: dialect.wire,
          rawBody: JSON.stringify(body),
          body,
          userHash: 'f00d',
        };
        accepted(target, textOf(writeWireRequest(request, candidate, prepared)));
      }),
      { numRuns: 400, endOnFailure: true, includeErrorInReport: true },
    );
  });
});
