import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { scriptFile } from './script.ts';
import type { Simulator } from './simulator.ts';
import { readBody, sendJson } from './wire.ts';

/** A script of thousands of recorded answers is some megabytes. */
const MAX_CONTROL_BYTES = 256 * 1024 * 1024;

const clockBody = z.union([
  z.strictObject({ advance_ms: z.number().int().nonnegative() }),
  z.strictObject({ at: z.iso.datetime({ offset: true }) }),
]);

const accountBody = z.strictObject({ prefix_check: z.boolean() });

/** Serves `/control/…`: what tests steer the simulators by. README.md lists it. */
export async function serveControl(
  simulator: Simulator,
  request: IncomingMessage,
  response: ServerResponse,
  url: URL,
): Promise<void> {
  const raw = (await readBody(request, MAX_CONTROL_BYTES))?.toString('utf8');
  const say = (status: number, body: unknown) => sendJson(response, status, body);
  switch (`${request.method} ${url.pathname}`) {
    case 'GET /control/health':
      return say(200, {
        ok: true,
        simulated: true,
        now: new Date(simulator.clock.now()).toISOString(),
        script_waiting: simulator.script.waiting,
      });
    case 'POST /control/script': {
      const read = scriptFile.safeParse(parsed(raw));
      if (!read.success) return say(400, { error: z.prettifyError(read.error) });
      simulator.script.add(read.data);
      return say(200, { waiting: simulator.script.waiting });
    }
    case 'DELETE /control/script':
      simulator.script.clear();
      return say(200, { waiting: 0 });
    case 'GET /control/requests': {
      const last = Number(url.searchParams.get('last') ?? Number.POSITIVE_INFINITY);
      const path = url.searchParams.get('path');
      const entries = simulator.journal
        .list()
        .filter((entry) => path === null || entry.path.startsWith(path));
      return say(200, { data: last > 0 ? entries.slice(-last) : [] });
    }
    case 'DELETE /control/requests':
      simulator.journal.clear();
      return say(200, { data: [] });
    case 'DELETE /control/cache':
      simulator.cache.clear();
      simulator.stored.clear();
      simulator.objects.clear();
      simulator.account.fingerprints.clear();
      return say(200, { ok: true });
    case 'POST /control/account': {
      const read = accountBody.safeParse(parsed(raw));
      if (!read.success) return say(400, { error: z.prettifyError(read.error) });
      simulator.account.prefixCheck = read.data.prefix_check;
      return say(200, read.data);
    }
    case 'POST /control/clock': {
      const read = clockBody.safeParse(parsed(raw));
      if (!read.success) return say(400, { error: z.prettifyError(read.error) });
      if ('advance_ms' in read.data) simulator.clock.advance(read.data.advance_ms);
      else if (!simulator.clock.jump(Date.parse(read.data.at))) {
        return say(400, { error: 'at: the clock only goes forward' });
      }
      return say(200, { now: new Date(simulator.clock.now()).toISOString() });
    }
    default:
      return say(404, { error: `no control endpoint ${request.method} ${url.pathname}` });
  }
}

function parsed(raw: string | undefined): unknown {
  try {
    return JSON.parse(raw ?? '');
  } catch {
    return undefined;
  }
}
