import type { DurableObjectNamespace } from '@cloudflare/workers-types';
import type { FoundLane, Lane, LaneQuestion } from '../core/context/lanes.ts';
import type { BegunStep, EndedStep, Sessions } from '../pipeline/ports.ts';
import { OpenedLanes } from './opened-lanes.ts';

/** What of a session's object is called from outside (session-object.ts). */
interface SessionStub {
  begin(step: BegunStep, question: LaneQuestion, opened: Lane | null): Promise<FoundLane>;
  peek(question: LaneQuestion, opened: Lane | null): Promise<FoundLane>;
  settle(step: EndedStep): Promise<void>;
  unsettled(ids: readonly string[]): Promise<{ id: string; isAbandoned: boolean }[] | null>;
}

/** Milliseconds before another try to settle: an object that moves answers again within seconds. */
const SETTLE_DELAYS = [200, 2_000];

// One an isolate.
const lanes = new OpenedLanes();

/**
 * Sessions in Durable Objects.
 * @param background is given what goes on after the answer
 * @param missed counts a session that was not there when it was asked, or told
 */
export function sessionsIn(
  namespace: DurableObjectNamespace,
  background: (work: Promise<unknown>) => void,
  missed: (what: 'begin' | 'settle') => void,
): Sessions {
  const stubOf = (object: string) => stubIn(namespace, object);
  return {
    begin: async (object, step, question) => stubOf(object).begin(step, question, lanes.find(object)),
    peek: async (object, question) => stubOf(object).peek(question, lanes.find(object)),
    opened: (object, lane) => lanes.keep(object, lane),
    settle: (object, step) => {
      // One that was refused opened no lane: its client may ask again.
      if (step.lane !== null) lanes.forget(object);
      background(
        settle(
          () => stubOf(object).settle(step),
          () => missed('settle'),
        ),
      );
    },
    missed: () => missed('begin'),
  };
}

/**
 * Of these steps of a session the ones that have not ended; null: its object knows nothing, or nothing any more.
 * @throws where its object is not reached
 */
export async function unsettledSteps(
  namespace: DurableObjectNamespace,
  object: string,
  ids: readonly string[],
): Promise<{ id: string; isAbandoned: boolean }[] | null> {
  return stubIn(namespace, object).unsettled(ids);
}

/** The class is this Worker's own; its methods are those of the stub above. */
function stubIn(namespace: DurableObjectNamespace, object: string): SessionStub {
  return namespace.getByName(object) as unknown as SessionStub;
}

/** What is not settled is closed by the object's own alarm, at what was estimated. */
async function settle(tell: () => Promise<void>, missed: () => void): Promise<void> {
  for (const delay of [...SETTLE_DELAYS, undefined]) {
    try {
      return await tell();
    } catch {
      if (delay === undefined) missed();
      else await new Promise((resolve) => setTimeout(resolve, delay));
    }
  }
}
