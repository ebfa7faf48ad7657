import type { HandedContext } from '../core/context/handed-context.ts';
import { SUMMARY_TOKENS, summaryRequest } from '../core/context/summary.ts';
import type { Candidate } from '../core/routing/candidate.ts';
import { current } from '../core/routing/candidates.ts';
import type { PlannedStep } from './planned-step.ts';
import type { CallOutcome, SummaryPlace } from './ports.ts';
import { prepare } from './prepare.ts';
import type { StepSettings } from './settings.ts';
import { soon } from './step-state.ts';
import { writeAnew } from './wire-request.ts';

/** Milliseconds: the step waits for it. */
const PATIENCE = 8_000;
/** Characters of it that are handed on. */
const MOST_CHARACTERS = 6_000;

/**
 * The summary of what a candidate is not handed, where the customer wants one: as it was made for an earlier step with
 * the same cut, else by the easy tier's first model, whose cost is the step's. Fails open: a model or a store that is
 * slow or gone leaves the cut without one.
 */
export async function summarise(step: PlannedStep, candidate: Candidate): Promise<string | undefined> {
  const { settings, ports } = step;
  const handed = step.plan.handed.get(candidate);
  const { summaries } = ports;
  if (!handed || !summaries || settings.handover !== 'summary') return undefined;
  const place = placeOf(step, handed);
  const known = await soon(summaries.read(place), settings.timeouts.session);
  // A store that is gone would have it made for every step.
  if (!known) return undefined;
  if (known.text !== null) return known.text;
  const made = await make(step, handed);
  if (made !== undefined) summaries.keep(place, made);
  return made;
}

/** Who makes summaries. */
export function summariser({ tiers }: StepSettings, startedAt: number): Candidate | undefined {
  const [first] = tiers.easy;
  return first && current(first, new Date(startedAt).toISOString().slice(0, 10));
}

/** A hash of all that is left out, and of what comes before it. */
function placeOf({ request, state }: PlannedStep, { cut, parts }: HandedContext): SummaryPlace {
  const { question, digest } = state;
  if (!question || !digest) throw new RangeError('only a step of a lane is handed less than the whole');
  const lead = request.conversation.messages.length - question.chain.length;
  const last = question.chain[(cut.gaps.at(-1)?.end ?? 0) - lead - 1] ?? '';
  return { customer: request.customer, id: digest(`summary ${last} ${parts.left_out}`) };
}

async function make(step: PlannedStep, { cut }: HandedContext): Promise<string | undefined> {
  const { request, settings, ports, ledger } = step;
  const candidate = summariser(settings, request.startedAt);
  const provider = candidate && settings.providers.get(candidate.provider);
  if (!candidate || !provider) return undefined;
  const { model } = candidate;
  const asked = summaryRequest(request.conversation.messages, cut.gaps);
  const { conversation } = prepare(asked, model, {
    defaultMaxTokens: SUMMARY_TOKENS.most,
    to: candidate,
  });
  ledger.sent(ports.clock.now(), conversation);
  const limit = AbortSignal.timeout(PATIENCE);
  const outcome = await ports.callProvider({
    ...{ provider, model, stream: false, showsThinking: false },
    body: writeAnew(conversation, candidate, { stream: false }),
    timeouts: { ...settings.timeouts, firstByte: Math.min(PATIENCE, settings.timeouts.firstByte) },
    signal: ports.left ? AbortSignal.any([ports.left, limit]) : limit,
  });
  ledger.simulated(outcome.simulated);
  ledger.summarised(candidate, outcome);
  return textOf(outcome);
}

function textOf(outcome: CallOutcome): string | undefined {
  if (outcome.kind !== 'answer' || outcome.answer.stop === 'refusal') return undefined;
  const { blocks } = outcome.answer;
  const text = blocks.flatMap((block) => (block.type === 'text' ? block.text : [])).join('\n');
  return text.trim().slice(0, MOST_CHARACTERS) || undefined;
}
