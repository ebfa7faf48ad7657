import { stepKey, type Turn } from '../../src/local/simulated/ask.ts';
import type { Message, Trajectory } from './trajectory.ts';

/** An entry of the simulator's script: the recorded answer, for the request whose history has this key. */
export interface ScriptedStep {
  match: { key: string };
  answer: { text: string; calls: { name: string; arguments: string }[]; thinking?: number };
}

/**
 * The recorded answer of every step, so that the simulated model says what the real one said.
 * @param thinking tokens it thinks before; absent: as the model does at its default
 */
export function scriptOf({ messages }: Trajectory, thinking?: number): ScriptedStep[] {
  return messages.flatMap((message, at) =>
    message.role !== 'assistant'
      ? []
      : [
          {
            match: { key: stepKey(turnsOf(messages.slice(0, at))) },
            answer: {
              text: message.content,
              calls: message.tool_calls.map((call) => call.function),
              ...(thinking === undefined ? {} : { thinking }),
            },
          },
        ],
  );
}

/**
 * Trajectories whose first step the simulator can't tell apart. One after the other they get their own answers; side
 * by side each could get the other's.
 */
export function groupByFirstStep(trajectories: readonly Trajectory[]): Trajectory[][] {
  const groups = Map.groupBy(trajectories, (one) => scriptOf(one)[0]?.match.key);
  return [...groups.values()];
}

function turnsOf(messages: readonly Message[]): Turn[] {
  return messages.flatMap((message): Turn[] => {
    switch (message.role) {
      case 'system':
      case 'developer':
        return [];
      case 'assistant':
        return [
          {
            role: 'assistant',
            text: message.content,
            calls: message.tool_calls.map((call) => call.function),
          },
        ];
      default:
        return [{ role: message.role, text: message.content }];
    }
  });
}
