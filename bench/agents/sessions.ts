import { readLoggedMessages } from '../../src/cli/replay/log-messages.ts';
import { type InputSize, measureInput } from '../../src/core/accounting/estimate.ts';
import type { Conversation } from '../../src/core/conversation.ts';
import { type LoggedStep, loggedStep } from '../../src/core/replay/logged-step.ts';
import type { Candidate } from '../../src/core/routing/candidate.ts';
import type { Trajectory } from '../steps/trajectory.ts';

/** Tokens of tool schemas where a trace brings none (economics.md). */
const TOOL_TOKENS = 2_000;
/** Milliseconds between the messages of a trace. */
const BEAT = 10_000;
/** All traces begin here: prices of the day the tables of economics.md were made. */
export const START = Date.parse('2026-11-20T09:00:00Z');

/** A step of a trace, at its place in time if nobody pauses. */
export interface BenchStep extends LoggedStep {
  /** It answers the user, not a tool: a pause may be before it. */
  afterUser: boolean;
}

/** One trace as its steps. */
export type Session = readonly BenchStep[];

/** Of so many sessions one carries something that another account does not have. */
const CARRYING = 10;

/**
 * A session as it would be with a stored file of the top's account, for some of them, from the middle on: a switch to
 * another account would lose it (portability.ts).
 */
export function carrying(session: Session, index: number, { provider, name, model }: Candidate): Session {
  if (index % CARRYING !== 0) return session;
  const carries = [{ kind: 'stored_object' as const, wire: model.wire, producer: { provider, name } }];
  return session.map((step, t) => (t < session.length / 2 ? step : { ...step, carries }));
}

const EMPTY: Conversation = {
  ...{ messages: [], tools: [], output: { stop: [], n: 1, logprobs: false } },
  ...{ sampling: {}, reasoning: {}, hints: {} },
};

/**
 * The steps of a trace: every assistant message but a greeting before the user has said anything.
 * @param scale how many times as long its messages are; tools and answers stay as they are
 */
export function toSession({ messages, tools }: Trajectory, scale: number): Session {
  // As a log is read: ids of calls may repeat.
  const all = readLoggedMessages(messages).map(({ message }) => message);
  const toolTokens = tools ? tokensOfTools(tools) : TOOL_TOKENS;
  return all.flatMap((message, index) => {
    const before = all[index - 1];
    if (message.role !== 'assistant' || !before || before.role === 'system') return [];
    const output = Math.round(measureInput({ ...EMPTY, messages: [message] }).total.text);
    const step = loggedStep({ ...EMPTY, messages: all.slice(0, index) }, START + index * BEAT, output);
    const longer = (input: InputSize) => lengthen(input, toolTokens, scale);
    const { needs, compressed } = step;
    const sized: BenchStep = {
      ...{ ...step, afterUser: before.role === 'user', needs: { ...needs, input: longer(needs.input) } },
      compressed: compressed && {
        ...{ ...compressed, input: longer(compressed.input), head: longer(compressed.head) },
      },
    };
    return [sized];
  });
}

function tokensOfTools(tools: NonNullable<Trajectory['tools']>): number {
  return measureInput({ ...EMPTY, tools: tools.map((tool) => tool.function) }).total.text;
}

function lengthen(
  { total, beforeLastAssistant, before, ...counts }: InputSize,
  tools: number,
  scale: number,
): InputSize {
  const longer = (size: InputSize['total']) => ({ ...size, text: tools + scale * size.text });
  const { system, messages, turn } = before;
  return {
    ...{ total: longer(total), beforeLastAssistant: longer(beforeLastAssistant) },
    before: { system: longer(system), messages: longer(messages), turn: longer(turn) },
    ...counts,
  };
}
