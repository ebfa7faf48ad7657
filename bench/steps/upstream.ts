import * as z from 'zod';
import { inputOf, type TokenUsage } from '../../src/local/simulated/usage.ts';
import type { ScriptedStep } from './script.ts';

/** One request as the simulated provider recorded it. */
export interface UpstreamCall {
  status: number;
  model: string;
  error: string | null;
  usage: TokenUsage | null;
  inputTokens: number;
}

const count = z.number();
const recorded = z.object({
  data: z.array(
    z.object({
      method: z.string(),
      path: z.string(),
      model: z.string().nullable(),
      status: z.number(),
      error: z.string().nullable(),
      usage: z
        .object({
          fresh: count,
          write_5m: count,
          write_1h: count,
          write_30m: count,
          write_12h: count,
          read: count,
          output: count,
          thinking: count,
        })
        .nullable(),
    }),
  ),
});

/** Has the simulated providers answer these requests as scripted. */
export async function addScript(simulatorUrl: string, script: readonly ScriptedStep[]): Promise<void> {
  await control(simulatorUrl, 'POST', 'script', script);
}

/** Takes what the simulated providers recorded since the last call; only while no request is under way. */
export async function takeCalls(simulatorUrl: string): Promise<UpstreamCall[]> {
  const { data } = recorded.parse(await control(simulatorUrl, 'GET', 'requests'));
  await control(simulatorUrl, 'DELETE', 'requests');
  return data.map(({ status, model, error, usage }) => ({
    status,
    model: model ?? '',
    error,
    usage,
    inputTokens: usage === null ? 0 : inputOf(usage),
  }));
}

/** Has the simulated providers forget what their prompt caches hold. */
export async function forgetCaches(simulatorUrl: string): Promise<void> {
  await control(simulatorUrl, 'DELETE', 'cache');
}

async function control(simulatorUrl: string, method: string, path: string, body?: unknown): Promise<unknown> {
  const response = await fetch(`${simulatorUrl}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok) throw new Error(`the simulator's /control/${path}: ${await response.text()}`);
  return response.json();
}
