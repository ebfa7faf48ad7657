import { createHash } from 'node:crypto';
import { cacheRulesOf } from '../../src/core/context/cache-rules.ts';
import { survivingPlaces, warmTokens } from '../../src/core/context/prefix-state.ts';
import type { ClientDialect } from '../../src/core/dialects/client-dialect.ts';
import type { FluxMetadata } from '../../src/core/metadata.ts';
import { keyOf } from '../../src/core/routing/candidate.ts';
import type { JournalEntry } from '../../src/local/simulated/journal.ts';
import { type RunningSimulators, startSimulators } from '../../src/local/simulated/server.ts';
import { assess, planRequest } from '../../src/pipeline/planned-step.ts';
import type { Ports, Sessions } from '../../src/pipeline/ports.ts';
import type { StepSettings } from '../../src/pipeline/settings.ts';
import { runStep } from '../../src/pipeline/step.ts';
import { peekState } from '../../src/pipeline/step-state.ts';
import { callProvider } from '../../src/providers/attempt.ts';
import { OpenedLanes } from '../../src/sessions/opened-lanes.ts';
import { SessionBook } from '../../src/sessions/session-book.ts';
import { openSql } from '../stores/sql-in-node.ts';
import { settingsOf, stepOf } from './in-process.ts';

/** The pipeline over the strict simulators, with the same clock for both, which tests push forward. */
export interface SimulatedDay {
  /** Where the providers are. */
  url: string;
  settings: StepSettings;
  /** Lets time pass, for gateway and providers. */
  pass(seconds: number): Promise<void>;
  /** Sends a step of a session; says what was read, and what the plan would have said it reads. */
  step(session: string, body: Record<string, unknown>, options?: StepOptions): Promise<SteppedStep>;
  /** The last that the providers were sent. */
  sent(): Promise<JournalEntry>;
  close(): Promise<void>;
}

interface StepOptions {
  dialect?: ClientDialect;
  settings?: StepSettings;
}

export interface SteppedStep {
  flux: FluxMetadata;
  predicted: number;
  read: number;
}

const START = Date.UTC(2026, 10, 23, 12);

export async function startSimulatedDay(): Promise<SimulatedDay> {
  const simulators: RunningSimulators = await startSimulators({ startAt: START });
  const settings = settingsOf({
    ANTHROPIC_BASE_URL: simulators.url,
    OPENAI_BASE_URL: `${simulators.url}/v1`,
  });
  let now = START;
  let steps = 0;
  const ports: Ports = {
    callProvider,
    sessions: sessionsInNode(() => now),
    thoughts: null,
    beginLater: () => {},
    logStep: () => {},
    budget: null,
    left: null,
    clock: { now: () => now, cpu: () => null },
  };
  const control = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${simulators.url}/control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(await response.text());
    return response.json();
  };
  return {
    url: simulators.url,
    settings,
    async pass(seconds) {
      now += seconds * 1_000;
      await control('POST', 'clock', { at: new Date(now).toISOString() });
    },
    async step(session, body, { dialect, settings: own = settings } = {}) {
      steps += 1;
      const more = {
        startedAt: now,
        requestId: `req-${steps}`,
        digest: sha,
        session: { shown: session, hash: sha(session) },
      };
      const request = stepOf(body, own, more, dialect);
      const assessed = assess(request, own, ports);
      const state = await peekState(assessed.state, ports.sessions, 1_000);
      const { lane, plan, input } = planRequest({ ...assessed, state });
      const [{ model, ...chosen }] = plan.candidates;
      const rules = cacheRulesOf(model);
      const { trailing, marks } = lane;
      const prompt = {
        ...{ tokens: 1e9, blocks: input.blocks, at: now / 1_000, trailing },
        ...(marks ? { marks } : {}),
      };
      const predicted = warmTokens(
        survivingPlaces(lane.prefixes[keyOf(chosen)], rules, lane.parts),
        rules,
        prompt,
      );
      const outcome = await runStep(request, own, ports);
      if (outcome.kind !== 'answer') throw new Error('a step that does not stream');
      const flux = outcome.metadata;
      return { flux, predicted, read: flux.cache.cache_read_tokens };
    },
    async sent() {
      // Journal entries travel as they are.
      const { data } = (await control('GET', 'requests?last=1')) as { data: JournalEntry[] };
      const [entry] = data;
      if (!entry) throw new Error('nothing was sent');
      return entry;
    },
    close: () => simulators.close(),
  };
}

function sessionsInNode(now: () => number): Sessions {
  const books = new Map<string, SessionBook>();
  const opened = new OpenedLanes();
  const bookOf = (object: string) => {
    const book = books.get(object) ?? new SessionBook(openSql());
    books.set(object, book);
    return book;
  };
  return {
    begin: async (object, step, question) => {
      bookOf(object).begin(step, question.at);
      return bookOf(object).find(question, opened.find(object));
    },
    peek: async (object, question) => bookOf(object).find(question, opened.find(object)),
    opened: (object, lane) => opened.keep(object, lane),
    settle: (object, step) => bookOf(object).settle(step, now()),
    missed: () => {
      throw new Error('a session was not there');
    },
  };
}

function sha(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 22);
}
