import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import type { JournalEntry } from '../../src/local/simulated/journal.ts';
import type { ScriptEntry } from '../../src/local/simulated/script.ts';
import type { LocalStack } from '../../src/local/stack.ts';
import type { Summary } from '../../src/log/queries/summary.ts';
import { startPrepared } from '../prepared.ts';
import { framesOf } from './frames.ts';

/** Making a database takes seconds, and others run beside. */
export const START_LIMIT = 90_000;

/** One exchange with the gateway as it was on the wire. */
export interface Seen {
  status: number;
  headers: Headers;
  /** The JSON body, or the frames of the stream. */
  body: unknown;
  frames: unknown[];
}

/** `npm start`'s stack with simulated providers, and the unmodified OpenAI client in front of it. */
export interface Gateway {
  stack: LocalStack;
  openai: OpenAI;
  /** All exchanges of `openai`, oldest first. */
  seen: Promise<Seen>[];
  /** Every line the stack's processes wrote. */
  lines: string[];
  /** What the simulated providers do next, in place of what they were told before. */
  script(...entries: Partial<ScriptEntry>[]): Promise<void>;
  /** What the simulated providers were sent, oldest first: the latest `last`, or all that are still kept. */
  sent(last?: number): Promise<JournalEntry[]>;
  summary(): Promise<Summary>;
  stop(): Promise<void>;
}

/** A data folder that goes with its test file. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'flux-journey-'));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function startGateway(
  folder: string,
  variables: Record<string, string> = {},
  options: { entry?: string; simulatorUrl?: string } = {},
): Promise<Gateway> {
  const lines: string[] = [];
  const { simulatorUrl, ...local } = options;
  const stack = await startPrepared({
    ...local,
    variables: { PORT: '0', FLUX_DATA_DIR: folder, FLUX_RETRY_BASE_MS: '5', ...variables },
    output: (line) => lines.push(line),
  }).catch((error) => {
    throw new Error(`the stack did not start:\n${lines.join('\n')}`, { cause: error });
  });
  const seen: Promise<Seen>[] = [];
  const openai = new OpenAI({
    apiKey: stack.key,
    baseURL: `${stack.url}/v1`,
    maxRetries: 0,
    fetch: async (url, init) => {
      const response = await fetch(url, init);
      seen.push(look(response.clone()));
      return response;
    },
  });
  const control = async (method: string, path: string, body?: unknown): Promise<unknown> => {
    const response = await fetch(`${simulatorUrl ?? stack.simulatorUrl}/control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = await response.json();
    if (!response.ok) throw new Error(JSON.stringify(answer));
    return answer;
  };
  return {
    stack,
    openai,
    seen,
    lines,
    script: async (...entries) => {
      await control('DELETE', 'script');
      await control('POST', 'script', entries);
    },
    // As control.ts answers it.
    sent: async (last) => {
      const path = last === undefined ? 'requests' : `requests?last=${last}`;
      return ((await control('GET', path)) as { data: JournalEntry[] }).data;
    },
    summary: async () => {
      const response = await fetch(`${stack.url}/api/metrics/summary`, {
        headers: { authorization: `Bearer ${stack.key}` },
      });
      if (!response.ok) throw new Error(`summary: ${response.status}`);
      return (await response.json()) as Summary;
    },
    stop: async () => {
      await stack.stop();
    },
  };
}

async function look(response: Response): Promise<Seen> {
  const text = await response.text().catch(() => '');
  const stream = /event-stream/.test(response.headers.get('content-type') ?? '');
  return {
    status: response.status,
    headers: response.headers,
    body: stream ? null : JSON.parse(text),
    frames: stream ? framesOf(text) : [],
  };
}
