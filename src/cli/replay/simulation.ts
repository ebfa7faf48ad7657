import { createHash } from 'node:crypto';
import { measureInput } from '../../core/accounting/estimate.ts';
import { tokenFactor } from '../../core/accounting/tokenizers.ts';
import { cacheRulesOf } from '../../core/context/cache-rules.ts';
import type { Conversation, Message } from '../../core/conversation.ts';
import { FluxError } from '../../core/errors.ts';
import { type LoggedStep, loggedSteps } from '../../core/replay/logged-step.ts';
import { closeLane, replayStep } from '../../core/replay/replay.ts';
import { findModel } from '../../core/routing/catalog.ts';
import { type Experience, NO_EXPERIENCE } from '../../core/routing/experience.ts';
import { TIERS } from '../../core/routing/tier.ts';
import { withCountedInput } from './counted-input.ts';
import { bareModel } from './log-answer.ts';
import {
  type LogEntry,
  type LoggedBill,
  type LoggedRequest,
  type LoggedTrace,
  UnreadableRecord,
} from './log-entry.ts';
import { openBills } from './logged-bills.ts';
import { openLanes } from './open-lanes.ts';
import { type ExplainedStep, explainStep } from './plan-explained.ts';
import type { ReplayOptions } from './replay-settings.ts';
import { type RunningLane, startLane, stepTime } from './running-lane.ts';
import { count, openTally } from './tally.ts';

/** Open lanes of a request log: some 5 KB each, measured. */
const LANES = 20_000;
/** A lane unused for so long has ended, or begins anew: at least an hour, and until its caches are cold. */
const IDLE_MS = 3_600_000;

export type Simulation = ReturnType<typeof startSimulation>;

/**
 * Takes a log's entries one after the other through all policies; keeps sums, and the lanes that are open.
 * @param wish steps to explain: an id, or `id:step` for the one of that number
 */
export function startSimulation(options: ReplayOptions, wish: string | null) {
  const tally = openTally(options.tiers);
  const bills = openBills(options.providers, options.day);
  const day = Date.parse(options.day);
  const counts = { steps: 0, lanes: 0, other: 0, inputsEstimated: 0, answersEstimated: 0 };
  const period = { from: Number.POSITIVE_INFINITY, to: Number.NEGATIVE_INFINITY };
  const refused = new Map<string, number>();
  const explained: ExplainedStep[] = [];
  let experience: Experience = NO_EXPERIENCE;

  const open = () => {
    counts.lanes += 1;
    return startLane();
  };
  const close = ({ replay }: RunningLane) => {
    if (replay.before !== null) experience = closeLane(replay, experience);
  };
  const lanes = openLanes({ limit: LANES, idleMs: idleMs(options) }, open, close);

  /** One step of a lane; `id` and `number` are what the user knows it by. */
  const run = (
    lane: RunningLane,
    at: number | null,
    { id, number, bill }: { id: string | null; number: number; bill: LoggedBill | null },
    stepAt: (at: number) => LoggedStep,
  ) => {
    if (at !== null) {
      period.from = Math.min(period.from, at);
      period.to = Math.max(period.to, at);
    }
    const read = stepAt(stepTime(lane, at, day));
    const counted = withCountedInput(read, bill);
    const step = counted ?? read;
    counts.steps += 1;
    if (counted === null) counts.inputsEstimated += 1;
    try {
      if (wish !== null && (wish === id || wish === `${id}:${number}`)) {
        explained.push(explainStep({ id, number }, lane.replay, step, experience, options));
      }
      tally.add(lane, replayStep(lane.replay, step, experience, options));
    } catch (error) {
      if (!(error instanceof FluxError)) throw error;
      // No configured model takes it; the gateway would say so too.
      count(refused, error.param ?? error.code);
    }
  };

  const runTrace = ({ id, conversation, wire, at, bills: given }: LoggedTrace) => {
    const indexes = stepsOf(conversation);
    if (indexes.length === 0) throw new UnreadableRecord('it has no answer: nothing to replay');
    for (const bill of given) bills.add(bill);
    const lane = open();
    const readStep = loggedSteps(conversation, { profile: options.profile, digest, wire });
    indexes.forEach((index, nth) => {
      const bill = (given.length === indexes.length ? given[nth] : null) ?? null;
      const answer = conversation.messages[index];
      const output = outputOf(answer ?? null, bill);
      if (output.estimated) counts.answersEstimated += 1;
      // The request went out when the message before the answer was there.
      run(lane, at[index - 1] ?? null, { id, number: nth + 1, bill }, (time) =>
        readStep(index, time, output.tokens),
      );
    });
    close(lane);
  };

  const runRequest = ({ id, conversation, wire, answer, at, bill }: LoggedRequest) => {
    if (answer === null && bill?.usage == null) {
      throw new UnreadableRecord(
        'it has neither an answer we can read nor usage: how long the answer was is not known',
      );
    }
    if (bill) bills.add(bill);
    const output = outputOf(answer, bill);
    if (output.estimated) counts.answersEstimated += 1;
    const lane = lanes.laneOf(conversation.messages, answer, at);
    const readStep = loggedSteps(conversation, { profile: options.profile, digest, wire });
    const { length } = conversation.messages;
    run(lane, at, { id, number: lane.steps + 1, bill }, (time) => readStep(length, time, output.tokens));
  };

  return {
    /** @throws UnreadableRecord */
    take(entry: LogEntry): void {
      if (entry.kind === 'trace') runTrace(entry);
      else if (entry.kind === 'request') runRequest(entry);
      else counts.other += 1;
    },
    /** Ends what is open; nothing can be taken afterwards. */
    end(): void {
      lanes.closeAll();
    },
    ...{ tally, bills, counts, period, refused, explained },
  };
}

/** Where the answers stand that a model gave to somebody: a greeting of the assistant's own is no step. */
function stepsOf({ messages }: Conversation): number[] {
  const spoken = messages.findIndex(({ role }) => role === 'user' || role === 'tool');
  if (spoken === -1) return [];
  return messages.flatMap(({ role }, index) => (role === 'assistant' && index > spoken ? [index] : []));
}

/** Tokens of an answer on the reference tokenizer: as its provider counted them, else by its text. */
function outputOf(answer: Message | null, bill: LoggedBill | null): { tokens: number; estimated: boolean } {
  if (bill?.usage) {
    const model = findModel(bill.provider, bareModel(bill.model));
    return { tokens: Math.round(bill.usage.output / tokenFactor(model ?? {})), estimated: false };
  }
  const alone = { messages: answer ? [answer] : [], tools: [], output: { stop: [], n: 1, logprobs: false } };
  const size = measureInput({ ...alone, sampling: {}, reasoning: {}, hints: {} });
  return { tokens: Math.round(size.total.text), estimated: true };
}

function idleMs({ tiers, baseline }: ReplayOptions): number {
  const models = [baseline, ...TIERS.flatMap((tier) => tiers[tier])];
  const longest = Math.max(...models.map(({ model }) => cacheRulesOf(model).default.seconds));
  return Math.max(IDLE_MS, longest * 1_000);
}

/** Short, so that a million lanes' tools and system prompts stay small. */
function digest(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
