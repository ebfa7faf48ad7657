import * as z from 'zod';
import { type Command, command, commandGroup } from './command.ts';
import { CommandError, wrongUsage } from './command-error.ts';
import { callGateway, errorIn, findGateway, GATEWAY_FLAGS, GATEWAY_HELP } from './gateway-client.ts';
import type { Shell } from './shell.ts';
import { table } from './table.ts';

const HELP = `Usage: flux keys create --name NAME [--scopes infer,read] [options]
       flux keys list [options]
       flux keys revoke ID [options]

API keys of a running gateway. A new key is shown once: the gateway keeps only its hash. A revoked key stops working
within a minute or so, and stays revoked. It takes a key with the scope admin, which acts on its own customer.

  --name NAME      what the key is for, e.g. the agent that gets it
  --scopes LIST    what it may do: infer, read, admin, telemetry, separated by commas (default: infer)
  --customer NAME  whose keys; only for FLUX_ADMIN_KEY, which acts on all customers
${GATEWAY_HELP}
  --json           the gateway's own answer
`;

const CUSTOMER = { customer: { type: 'string' } } as const;

/** `flux keys` */
export const keysCommand: Command = commandGroup('keys', HELP, {
  create: command({
    name: 'keys create',
    help: HELP,
    options: { ...GATEWAY_FLAGS, ...CUSTOMER, name: { type: 'string' }, scopes: { type: 'string' } },
    async run({ name, scopes = 'infer', ...where }, shell) {
      if (!name?.trim()) throw wrongUsage('say what the key is for, with --name');
      const list = scopes.split(/[,+\s]+/).filter((scope) => scope !== '');
      const made = read(createdKey, await ask(where, shell, 'POST', '', { name: name.trim(), scopes: list }));
      shell.note(
        `Key ${made.id} for "${name.trim()}" (${list.join(', ')}). This is the only time it is shown:`,
      );
      return { json: made, text: `${made.key}\n` };
    },
  }),
  list: command({
    name: 'keys list',
    help: HELP,
    options: { ...GATEWAY_FLAGS, ...CUSTOMER },
    async run(where, shell) {
      const found = read(keyList, await ask(where, shell, 'GET', ''));
      return {
        json: found,
        text: found.data.length === 0 ? 'No keys.\n' : table(HEADINGS, found.data.map(rowOf)),
      };
    },
  }),
  revoke: command({
    name: 'keys revoke',
    help: HELP,
    options: { ...GATEWAY_FLAGS, ...CUSTOMER },
    arguments: ['ID'],
    async run(where, shell, id = '') {
      const answer = await ask(where, shell, 'DELETE', `/${encodeURIComponent(id)}`);
      return {
        json: answer,
        text: `Key ${id} is revoked. Isolates that knew it forget it within a minute or so.\n`,
      };
    },
  }),
});

interface Where {
  url?: string | undefined;
  key?: string | undefined;
  customer?: string | undefined;
}

/** As src/http/routes/keys.ts answers; what it adds later goes through to `--json`. */
const keyFacts = z.looseObject({
  id: z.string(),
  customer: z.string(),
  name: z.string(),
  scopes: z.array(z.string()),
  created_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});
const createdKey = keyFacts.extend({ key: z.string() });
const keyList = z.looseObject({ data: z.array(keyFacts) });

const HEADINGS = ['ID', 'NAME', 'CUSTOMER', 'SCOPES', 'CREATED', 'REVOKED'];

function rowOf(key: z.infer<typeof keyFacts>): string[] {
  const day = (time: string | null) => time?.slice(0, 10) ?? '-';
  return [key.id, key.name, key.customer, key.scopes.join(','), day(key.created_at), day(key.revoked_at)];
}

/** @throws CommandError in the gateway's words, and what to do about it */
async function ask(
  where: Where,
  shell: Shell,
  method: string,
  path: string,
  body?: unknown,
): Promise<unknown> {
  const gateway = await findGateway(where, shell);
  const query = where.customer === undefined ? '' : `?customer=${encodeURIComponent(where.customer)}`;
  const answer = await callGateway(gateway, method, `/api/keys${path}${query}`, body);
  const error = errorIn(answer);
  if (!error) return answer.body;
  const advice = ADVICE[error.code];
  throw new CommandError(`${error.message}${advice ? ` ${advice}` : ''}`);
}

/** What the gateway's own message leaves open here. */
const ADVICE: Record<string, string> = {
  missing_api_key: 'Give one with --key or FLUX_KEY.',
  invalid_api_key: 'Give another with --key or FLUX_KEY.',
  missing_scope: 'Use a key that has it: --key, FLUX_KEY, or FLUX_ADMIN_KEY with --customer.',
  missing_required_parameter: 'Here: --customer NAME.',
  unknown_url: 'This gateway is older than this command: deploy it anew.',
};

function read<T>(schema: z.ZodType<T>, answer: unknown): T {
  const parsed = schema.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new CommandError(
    'The gateway answered in a form this command does not know: use the one of its version.',
  );
}
