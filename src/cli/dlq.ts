import { type Command, command, commandGroup } from './command.ts';
import { CommandError, wrongUsage } from './command-error.ts';
import {
  type ListedEntries,
  listEntries,
  type Replayed,
  replayEntries,
  StoreSilent,
} from './dead-letters.ts';
import { confirm, type Shell } from './shell.ts';
import { isOfPostgres, openDatabaseOf, openRedisOf, STORES_HELP, storeProblem } from './stores.ts';
import { table } from './table.ts';

const HELP = `Usage: flux dlq list [--limit N] [--json]
       flux dlq replay [--discard [--yes]] [--json]

Steps that are logged and not in Postgres yet. \`parked\` waits for Postgres; the gateway brings it back by itself within
minutes. \`dead\` is what somebody must look at: records Postgres refused, and messages that are no step at all.

  list       how many, how old, which requests and why; never what was asked or answered (it isn't there)
  replay     writes all that can be a row to Postgres, each once; the rest stays, and the exit code is 1
  --limit N  entries shown of each list, oldest first (default 20)
  --discard  remove for good what can't be a row; asks first
  --yes      don't ask
${STORES_HELP}
`;

const ADVICE =
  '`flux dlq replay` writes those that can be rows; Postgres may have refused them for a reason now mended.\n';

/** `flux dlq` */
export const dlqCommand: Command = commandGroup('dlq', HELP, {
  list: command({
    name: 'dlq list',
    help: HELP,
    options: { limit: { type: 'string' } },
    async run({ limit = '20' }, shell) {
      if (!/^\d{1,6}$/.test(limit)) throw wrongUsage(`--limit ${limit} is no number`);
      const redis = await openRedisOf(shell);
      const now = Date.now();
      const [dead, parked] = await answered(() =>
        Promise.all([
          listEntries(redis, 'dead', Number(limit), now),
          listEntries(redis, 'parked', Number(limit), now),
        ]),
      );
      return {
        json: { dead, parked },
        text: `${section('dead', dead)}${section('parked', parked)}${dead.count > 0 ? ADVICE : ''}`,
      };
    },
  }),
  replay: command({
    name: 'dlq replay',
    help: HELP,
    options: { discard: { type: 'boolean' }, yes: { type: 'boolean' } },
    async run({ discard, yes }, shell) {
      const stores = { redis: await openRedisOf(shell), database: await openDatabaseOf(shell) };
      if (discard && !yes && !shell.interactive) {
        throw wrongUsage('--discard removes entries for good: nobody is here to be asked, so say --yes too');
      }
      const pass = (discarding: boolean) =>
        answered(() => replayEntries(stores, discarding, progressOn(shell)));
      const result = await pass(false);
      if (discard && result.kept > 0 && (yes || (await agreed(shell, result.kept)))) {
        const second = await pass(true);
        result.replayed += second.replayed;
        Object.assign(result, { kept: second.kept, discarded: second.discarded });
      }
      return { json: result, text: sentence(result), failed: result.kept > 0 };
    },
  }),
});

function progressOn(shell: Shell): (replayed: number) => void {
  let shown = 0;
  return (replayed) => {
    if (replayed > shown) shell.note(`${replayed} replayed …`);
    shown = replayed;
  };
}

function agreed(shell: Shell, count: number): Promise<boolean> {
  return confirm(shell, `Remove ${count} entries that can't be rows, for good?`, false);
}

function sentence({ replayed, kept, discarded }: Replayed): string {
  const parts = [`${replayed} replayed`];
  if (discarded > 0) parts.push(`${discarded} discarded`);
  if (kept > 0)
    parts.push(`${kept} left that can't be rows: \`flux dlq list\` says why, --discard removes them`);
  return `${parts.join(', ')}.\n`;
}

function section(name: string, { count, oldest_s, newest_s, entries }: ListedEntries): string {
  if (count === 0) return `${name}: none\n\n`;
  const ages =
    oldest_s === null
      ? ''
      : `, oldest ${age(oldest_s)}${newest_s === null ? '' : `, newest ${age(newest_s)}`}`;
  const rows = entries.map((entry) => [
    entry.request_id ?? '-',
    entry.customer ?? '-',
    entry.age_s === null ? '-' : age(entry.age_s),
    entry.why,
  ]);
  const more = count > entries.length ? `… and ${count - entries.length} more (--limit)\n` : '';
  return `${name}: ${count}${ages}\n${table(['REQUEST', 'CUSTOMER', 'AGE', 'WHY'], rows)}${more}\n`;
}

/** 90 → `1m 30s`, in the two largest units. */
function age(seconds: number): string {
  const units: [string, number][] = [
    ['d', 86_400],
    ['h', 3_600],
    ['m', 60],
    ['s', 1],
  ];
  let rest = seconds;
  const parts = units.flatMap(([unit, size]) => {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    return whole > 0 ? [`${whole}${unit}`] : [];
  });
  return parts.length === 0 ? '0s' : parts.slice(0, 2).join(' ');
}

/** @throws CommandError that says which store to look after */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof StoreSilent) {
      throw new CommandError(
        'Redis or Postgres did not answer. Nothing is lost: see /health, and run it again.',
      );
    }
    if (isOfPostgres(error)) throw new CommandError(storeProblem(error));
    throw new CommandError(
      'Redis does not answer: check UPSTASH_REDIS_REST_URL and UPSTASH_REDIS_REST_TOKEN. Nothing is lost.',
    );
  }
}
