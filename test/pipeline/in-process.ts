import { usageOf } from '../../src/core/accounting/usage.ts';
import type { Answer, AnswerEvent } from '../../src/core/answer.ts';
import type { ClientDialect } from '../../src/core/dialects/client-dialect.ts';
import { OPENAI_CHAT } from '../../src/core/dialects/openai-chat/dialect.ts';
import { readProviders, readTiers } from '../../src/env-providers.ts';
import { readWish } from '../../src/http/models.ts';
import {
  type CallOutcome,
  type Failure,
  type Ports,
  type ProviderCall,
  StreamFailure,
  type WireBody,
} from '../../src/pipeline/ports.ts';
import type { BegunRecord, StepRecord } from '../../src/pipeline/record.ts';
import type { StepSettings } from '../../src/pipeline/settings.ts';
import type { StepRequest } from '../../src/pipeline/step-request.ts';

/** Settings as a deployment with both providers' keys reads them. */
export function settingsOf(variables: Record<string, string> = {}): StepSettings {
  const all = { ANTHROPIC_API_KEY: 'sk-ant-test', OPENAI_API_KEY: 'sk-test', ...variables };
  const providers = readProviders(all);
  const tiers = readTiers(all, providers);
  const baseline = tiers.hard[0];
  if (!baseline) throw new Error('no top model');
  return {
    mode: 'route',
    providers,
    tiers,
    baseline,
    defaultMaxTokens: 16_384,
    timeouts: {
      firstByte: 1_000,
      idle: 1_000,
      keepAlive: 1_000,
      session: 1_000,
      abandoned: 900_000,
      laneEnd: 3_600_000,
      retryBase: 1,
    },
  };
}

/** A step as its route reads it: POST /v1/chat/completions unless another dialect is named. */
export function stepOf(
  body: Record<string, unknown>,
  settings: StepSettings,
  more: Partial<StepRequest> = {},
  dialect: ClientDialect = OPENAI_CHAT,
): StepRequest {
  const whole = { model: 'auto', ...body };
  const read = dialect.read(whole);
  return {
    requestId: 'req-1',
    startedAt: Date.UTC(2026, 10, 23, 12),
    customer: 'acme',
    keyId: 'key',
    path: '/v1/chat/completions',
    wire: dialect.wire,
    rawBody: JSON.stringify(whole),
    body: whole,
    requestedModel: read.model,
    wish: readWish(read.model, settings),
    stream: read.stream,
    conversation: read.conversation,
    ownFields: read.ownFields,
    unknownFields: read.unknownFields,
    digest: null,
    session: { shown: 'fc_0123456789ab', hash: null },
    tags: {},
    userHash: null,
    ...more,
  };
}

type Reply = (call: ProviderCall) => CallOutcome;

/** A call as it went out, its body as text. */
export type SentCall = Omit<ProviderCall, 'body'> & { body: string };

/** What a provider reads: a body is bytes only where it is long. */
export function textOf(body: WireBody): string {
  return typeof body === 'string' ? body : new TextDecoder('utf-8', { fatal: true }).decode(body);
}

/** In-process ports: providers that answer from a list, a clock that moves a millisecond a look, a log in memory. */
export function portsOf(...replies: Reply[]): {
  ports: Ports;
  calls: SentCall[];
  rows: StepRecord[];
  begun: BegunRecord[];
} {
  const calls: SentCall[] = [];
  const rows: StepRecord[] = [];
  const begun: BegunRecord[] = [];
  let now = Date.UTC(2026, 10, 23, 12);
  return {
    calls,
    rows,
    begun,
    ports: {
      callProvider: async (call) => {
        calls.push({ ...call, body: textOf(call.body) });
        const reply = replies[calls.length - 1];
        if (!reply) throw new Error('one call more than replies');
        return reply(call);
      },
      sessions: null,
      thoughts: null,
      beginLater: (_requestId, describe) => void begun.push(describe()),
      logStep: (record) => rows.push(record),
      budget: null,
      left: null,
      clock: { now: () => now++, cpu: () => null },
    },
  };
}

export function answers(part: Partial<Answer> = {}): Reply {
  return (call) => {
    const answer: Answer = {
      id: 'msg_1',
      model: call.model.id,
      blocks: [{ type: 'text', text: 'Paris.' }],
      stop: 'stop',
      usage: usageOf({ fresh: 1_000, output: 100 }),
      ...part,
    };
    return { kind: 'answer', answer, raw: '{}', failures: [], simulated: false, ms: 5 };
  };
}

export function fails(kind: Failure['kind'], status: number, more: Partial<Failure> = {}): Reply {
  return () => ({
    kind: 'failed',
    failures: [],
    simulated: false,
    ms: 5,
    failure: {
      kind,
      status,
      message: 'the provider says no',
      type: null,
      code: null,
      param: null,
      retryAfter: null,
      requestId: null,
      ms: 5,
      ...more,
    },
  });
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** A provider's stream of these events, one frame each; it breaks after them where `broken` says how. */
export function streams(events: AnswerEvent[], broken?: Failure, head = 2) {
  const aborted = { count: 0 };
  const reply = (): CallOutcome => ({
    kind: 'stream',
    failures: [],
    simulated: false,
    ms: 5,
    stream: {
      head: events.slice(0, head),
      whole: false,
      abort: () => void aborted.count++,
      frames: (async function* () {
        for (const event of events) yield [{ raw: '', events: [event] }];
        if (broken) throw new StreamFailure(broken);
      })(),
    },
  });
  return { reply, aborted };
}
