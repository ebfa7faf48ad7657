import { fork } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Answer, Call } from './lifeline.ts';
import { StartError } from './start-error.ts';

/** A part of the stack in a process of its own. */
export interface Child {
  name: string;
  pid: number;
  /** Runs a handler of the child. `T` is what that handler gives: both ends are in this folder. */
  call<T>(name: string, payload?: unknown): Promise<T>;
  /**
   * Calls its `stop` and waits for its end; kills what is still there after `limit` milliseconds.
   * Gives what `stop` gave, undefined where that did not come to an end.
   */
  stop<T = unknown>(payload: unknown, limit: number): Promise<T | undefined>;
  /** Kills it and what it started, at once. */
  kill(): void;
  /** Settles when the process has ended. `asked`: by {@link stop} or {@link kill}. */
  ended: Promise<{ asked: boolean; how: string }>;
}

/** What a child sees of the environment: enough to run Node, and none of the user's keys. */
const PASSED_ON = [
  ...['PATH', 'HOME', 'TMPDIR', 'TEMP', 'TMP', 'LANG', 'SystemRoot', 'CI'],
  // Miniflare's own, for benches of what a Worker holds.
  'MINIFLARE_WORKERD_V8_FLAGS',
];

/** Nothing is sent to Cloudflare, and nothing written to the home folder. */
const QUIET = {
  WRANGLER_LOG: 'warn',
  WRANGLER_SEND_METRICS: 'false',
  WRANGLER_SEND_ERROR_REPORTS: 'false',
  WRANGLER_WRITE_LOGS: 'false',
};

/**
 * Starts `entry` (a file that calls `answerParent`) in a process group of its own, which a terminal's Ctrl-C does not
 * reach. `cache` keeps compiled code for the next start.
 */
export function startChild(
  name: string,
  entry: string,
  cache: string,
  output: (line: string) => void,
): Child {
  const env: Record<string, string> = { ...QUIET, NODE_COMPILE_CACHE: cache };
  for (const variable of PASSED_ON) {
    const value = process.env[variable];
    if (value !== undefined) env[variable] = value;
  }
  const child = fork(entry, { detached: true, env, execArgv: [], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface(stream).on('line', output);
  }
  const pid = child.pid;
  if (pid === undefined)
    throw new StartError(`The ${name} process could not be started. Are there too many processes?`);

  let asked = false;
  let nextId = 0;
  const calls = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const ended = new Promise<{ asked: boolean; how: string }>((resolve) => {
    child.once('exit', (code, signal) => {
      const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
      for (const call of calls.values()) call.reject(new Error(`The ${name} process ${how}.`));
      killGroup(pid);
      resolve({ asked, how });
    });
  });
  child.on('message', (answer: Answer) => {
    const call = calls.get(answer.id);
    calls.delete(answer.id);
    if ('value' in answer) call?.resolve(answer.value);
    else if ('error' in answer) {
      const { message, expected } = answer.error;
      call?.reject(expected ? new StartError(message) : new Error(message));
    } else call?.resolve(undefined);
  });

  const call = <T>(handler: string, payload?: unknown): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const id = nextId++;
      // The promise is of what the named handler gives, which is what `T` says.
      calls.set(id, { resolve: resolve as (value: unknown) => void, reject });
      child.send({ id, name: handler, payload } satisfies Call, (error) => {
        if (error !== null && calls.delete(id)) reject(new Error(`The ${name} process is gone.`));
      });
    });
  const kill = (): void => {
    asked = true;
    killGroup(pid);
  };

  return {
    name,
    pid,
    call,
    kill,
    ended,
    stop: async <T>(payload: unknown, limit: number) => {
      asked = true;
      let result: T | undefined;
      const orderly = async (): Promise<void> => {
        try {
          result = await call<T>('stop', payload);
          // Without its channel the child has nothing left to do, and ends.
          if (child.connected) child.disconnect();
        } catch {
          // It has ended already, or failed and said so on its output.
        }
        await ended;
      };
      const timer = new AbortController();
      await Promise.race([orderly(), sleep(limit, undefined, { signal: timer.signal }).catch(() => {})]);
      timer.abort();
      kill();
      await ended;
      return result;
    },
  };
}

/** The child leads a group: what it started (workerd) goes with it. */
function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // All of it has ended.
  }
}
