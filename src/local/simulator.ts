import { answerParent } from './lifeline.ts';
import { startSimulators } from './simulated/server.ts';

/** The simulated providers in a process of their own. */
let simulators: Awaited<ReturnType<typeof startSimulators>> | undefined;

async function start(): Promise<string> {
  simulators = await startSimulators({});
  return simulators.url;
}

async function stop(): Promise<void> {
  await simulators?.close();
}

answerParent({ start, stop }, async () => {});
