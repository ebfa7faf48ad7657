import type OpenAI from 'openai';
import type { ChatCompletion, ChatCompletionMessageParam } from 'openai/resources/chat/completions';
import * as z from 'zod';
import type { AssistantMessage, FunctionTool, Trajectory } from './trajectory.ts';

/** What the answer's `fluxcompute` has to hold for this bench; a priced step has no null. */
const metadata = z.object({
  fluxcompute: z.object({
    request_id: z.string(),
    tier: z.string().nullable(),
    model_selected: z.string(),
    cost_usd: z.number().nullable(),
    baseline_cost_usd: z.number().nullable(),
    simulated: z.literal(true),
  }),
});

/** A step that got its recorded answer. */
export interface AnsweredStep {
  /** For messages: trajectory and number of the step in it, from 1. */
  name: string;
  streamed: boolean;
  requestId: string;
  tier: string;
  model: string;
  costUsd: number | null;
  baselineUsd: number | null;
}

/** A step without its answer; the rest of its trajectory is not sent, for its history would be made up. */
export interface FailedStep {
  name: string;
  problem: string;
}

export interface Replay {
  client: OpenAI;
  tools: readonly FunctionTool[];
  /** The number of the trajectory's first step in the whole run: every second one of the run streams. */
  firstStep: number;
  onStep: (step: AnsweredStep | FailedStep) => void;
}

export function stepName({ id }: Trajectory, number: number): string {
  return `${id} step ${number}`;
}

/**
 * Sends every step of a trajectory, one after the other, as an agent would: the history holds the message objects that
 * the gateway answered, and its call ids stand on the recorded results.
 */
export async function replayTrajectory(trajectory: Trajectory, replay: Replay): Promise<void> {
  const history: ChatCompletionMessageParam[] = [];
  let openCalls: { recorded: string; given: string }[] = [];
  let number = 0;
  for (const message of trajectory.messages) {
    if (message.role === 'tool') {
      history.push({ ...message, tool_call_id: takeCall(openCalls, message.tool_call_id) });
      continue;
    }
    if (message.role !== 'assistant') {
      history.push(message);
      continue;
    }
    const name = stepName(trajectory, number + 1);
    const streamed = (replay.firstStep + number) % 2 === 1;
    // Of the streams, every second one asks for usage: `fluxcompute` then rides on another chunk.
    const includeUsage = (replay.firstStep + number) % 4 === 1;
    number += 1;
    try {
      const completion = await complete(replay, [...history], streamed, includeUsage);
      const answer = completion.choices[0]?.message;
      if (answer === undefined) throw new Error('the answer has no choice');
      const given = callsOf(answer);
      refuseOtherAnswer(message, answer.content, given);
      const { fluxcompute } = metadata.parse(completion);
      history.push(answer);
      openCalls = message.tool_calls.map(({ id }, at) => ({ recorded: id, given: given[at]?.id ?? '' }));
      replay.onStep({
        name,
        streamed,
        requestId: fluxcompute.request_id,
        tier: fluxcompute.tier ?? 'pinned',
        model: fluxcompute.model_selected,
        costUsd: fluxcompute.cost_usd,
        baselineUsd: fluxcompute.baseline_cost_usd,
      });
    } catch (error) {
      replay.onStep({ name, problem: error instanceof Error ? error.message : String(error) });
      return;
    }
  }
}

async function complete(
  { client, tools }: Replay,
  messages: ChatCompletionMessageParam[],
  streamed: boolean,
  includeUsage: boolean,
): Promise<ChatCompletion> {
  const body = { model: 'auto', messages, ...(tools.length === 0 ? {} : { tools: [...tools] }) };
  if (!streamed) return client.chat.completions.create(body);
  const options = includeUsage ? { stream_options: { include_usage: true } } : {};
  return client.chat.completions.stream({ ...body, ...options }).finalChatCompletion();
}

/** The new id of a recorded call. Ids repeat in real logs, inside one answer too: each is taken once, in order. */
function takeCall(openCalls: { recorded: string; given: string }[], recorded: string): string {
  const at = openCalls.findIndex((call) => call.recorded === recorded);
  return at < 0 ? recorded : (openCalls.splice(at, 1)[0]?.given ?? recorded);
}

interface GivenCall {
  id: string;
  name: string;
  arguments: string;
}

function callsOf(answer: ChatCompletion['choices'][number]['message']): GivenCall[] {
  return (answer.tool_calls ?? []).flatMap((call) =>
    call.type === 'function' ? [{ id: call.id, ...call.function }] : [],
  );
}

/** A simulator without a matching entry makes its answer up: the history was then not what was recorded. */
function refuseOtherAnswer(
  recorded: AssistantMessage,
  content: string | null,
  given: readonly GivenCall[],
): void {
  const wanted = recorded.tool_calls.map(({ function: called }) => called);
  const isSame =
    (content ?? '') === recorded.content &&
    given.length === wanted.length &&
    wanted.every(
      (call, at) => given[at]?.name === call.name && sameJson(given[at]?.arguments ?? '', call.arguments),
    );
  if (isSame) return;
  const got = `${content ?? ''} ${given.map((call) => `${call.name}(${call.arguments})`).join(' ')}`.trim();
  throw new Error(`the answer is not the recorded one: ${JSON.stringify(got.slice(0, 200))}`);
}

function sameJson(a: string, b: string): boolean {
  return canonical(JSON.parse(a)) === canonical(JSON.parse(b));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_name, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}
