import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { ScriptEntry } from './script.ts';

/** How a simulator is started; all have defaults. */
export interface SimulatorOptions {
  /** 0: any free port. */
  port?: number;
  /** Entries that wait from the start. */
  script?: readonly ScriptEntry[];
  /** Milliseconds before the first byte and between events, unless a script entry says otherwise. */
  latency?: { firstMs: number; betweenMs: number };
  /** Where the virtual clock starts, milliseconds since 1970. */
  startAt?: number;
  /** Requests kept for `GET /control/requests`. */
  keep?: number;
  /** Whether an edited prefix before a thinking block is a 400 unasked (default), as for accounts since 2026-08-31. */
  prefixCheck?: boolean;
}

export const USAGE =
  'usage: node src/local/simulated/server.ts --port N [--script FILE] [--latency FIRST_MS[,BETWEEN_MS]] [--at ISO_TIME] [--keep N] [--prefix-check on|off]';

const flags = z.object({
  port: z.coerce.number().int().min(0).max(65_535),
  script: z.string().optional(),
  latency: z
    .string()
    .regex(/^\d+(,\d+)?$/)
    .default('0'),
  at: z.iso.datetime({ offset: true }).optional(),
  keep: z.coerce.number().int().min(1).optional(),
  'prefix-check': z.enum(['on', 'off']).default('on'),
});

/** Reads the command line; throws an error that names the flag at fault. */
export function readFlags(args: readonly string[]): { options: SimulatorOptions; scriptPath?: string } {
  const { values } = parseArgs({
    args: [...args],
    options: {
      port: { type: 'string' },
      script: { type: 'string' },
      latency: { type: 'string' },
      at: { type: 'string' },
      keep: { type: 'string' },
      'prefix-check': { type: 'string' },
    },
  });
  const read = flags.safeParse(values);
  if (!read.success)
    throw new Error(`--${read.error.issues[0]?.path.join('.')}: ${read.error.issues[0]?.message}`);
  const [firstMs = 0, betweenMs = 0] = read.data.latency.split(',').map(Number);
  return {
    options: {
      port: read.data.port,
      latency: { firstMs, betweenMs },
      prefixCheck: read.data['prefix-check'] === 'on',
      ...(read.data.at === undefined ? {} : { startAt: Date.parse(read.data.at) }),
      ...(read.data.keep === undefined ? {} : { keep: read.data.keep }),
    },
    ...(read.data.script === undefined ? {} : { scriptPath: read.data.script }),
  };
}
