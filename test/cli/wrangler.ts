import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** A Cloudflare account as the scripted `wrangler` has it. */
export interface Account {
  loggedIn: boolean;
  accounts: { id: string; name: string }[];
  /** Names of the Worker's secrets; null: there is no such Worker. */
  secrets: string[] | null;
  queues: { name: string; producers: number; consumers: number }[];
  /** Where a deployed Worker answers. */
  url: string;
  /** Sub-commands that fail, with what wrangler then says: `{"queues create": "…"}`. */
  failures: Record<string, string>;
}

export interface Invocation {
  args: string[];
  stdin: string;
}

export interface ScriptedWrangler {
  /** Puts it first on PATH. */
  path: string;
  account(): Account;
  set(change: Partial<Account>): void;
  /** What was run since the last look. */
  invocations(): Invocation[];
  remove(): void;
}

/** An executable `wrangler` that answers in the words of wrangler 4.124.0 (tried against a stub of Cloudflare's API). */
export function scriptWrangler(initial: Partial<Account> = {}): ScriptedWrangler {
  const folder = mkdtempSync(join(tmpdir(), 'flux-wrangler-'));
  const state = join(folder, 'account.json');
  const log = join(folder, 'invocations.ndjson');
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(
    join(bin, 'wrangler'),
    SCRIPT.replace('STATE', JSON.stringify(state)).replace('LOG', JSON.stringify(log)),
  );
  chmodSync(join(bin, 'wrangler'), 0o755);
  const account = (): Account => JSON.parse(readFileSync(state, 'utf8'));
  writeFileSync(log, '');
  writeFileSync(
    state,
    JSON.stringify({
      loggedIn: true,
      accounts: [{ id: 'acc1', name: 'Acme' }],
      secrets: null,
      queues: [],
      url: 'https://nowhere.invalid',
      failures: {},
      ...initial,
    }),
  );
  return {
    path: [bin, process.env.PATH].join(delimiter),
    account,
    set: (change) => writeFileSync(state, JSON.stringify({ ...account(), ...change })),
    invocations: () => {
      const lines = readFileSync(log, 'utf8').split('\n').filter(Boolean);
      writeFileSync(log, '');
      return lines.map((line) => JSON.parse(line));
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

const SCRIPT = `#!/usr/bin/env node
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const statePath = STATE;
const state = JSON.parse(readFileSync(statePath, 'utf8'));
const args = process.argv.slice(2);
const [room, verb, name] = args;
const stdin = room === 'secret' && verb === 'bulk' ? readFileSync(0, 'utf8') : '';
appendFileSync(LOG, JSON.stringify({ args, stdin }) + '\\n');
const save = () => writeFileSync(statePath, JSON.stringify(state));
const fail = (text) => {
  console.error('\\n\x1b[31m✘ \x1b[41;31m[\x1b[41;97mERROR\x1b[41;31m]\x1b[0m \x1b[1m' + text + '\x1b[0m\\n\\n  And more about it.\\n');
  process.exit(1);
};
const banner = () => console.log('\\n ⛅️ wrangler 4.124.0\\n───────────────────');
const failing = Object.keys(state.failures).find((command) => args.join(' ').startsWith(command));
if (failing) fail(state.failures[failing]);
if (room === 'whoami') {
  if (!state.loggedIn) {
    console.log(JSON.stringify({ loggedIn: false }));
    process.exit(1);
  }
  console.log(JSON.stringify({ loggedIn: true, authType: 'OAuth Token', email: 'a@b.c', accounts: state.accounts }, null, 4));
} else if (!state.loggedIn) fail('You are not logged in.');
else if (room === 'secret' && verb === 'list') {
  if (!state.secrets) fail('Worker "fluxcompute-production" (env: production) not found.');
  console.log(JSON.stringify(state.secrets.map((name) => ({ name, type: 'secret_text' })), null, '  '));
} else if (room === 'secret' && verb === 'bulk') {
  state.secrets = [...new Set([...(state.secrets ?? []), ...Object.keys(JSON.parse(stdin))])];
  save();
} else if (room === 'queues' && verb === 'list') {
  banner();
  const page = Number(args[args.indexOf('--page') + 1] || 1);
  const rows = (args.includes('--page') ? state.queues.slice((page - 1) * 20) : state.queues).slice(0, 20);
  const cells = rows.map((q, i) => ['id' + i, q.name, '2026-11-01T00:00:00Z', '2026-11-01T00:00:00Z', q.producers, q.consumers]);
  const line = (cells) => '│ ' + cells.join(' │ ') + ' │';
  if (rows.length === 0) console.log('');
  else {
    console.log('┌────┬────┐');
    console.log([['id', 'name', 'created_on', 'modified_on', 'producers', 'consumers'], ...cells].map(line).join('\\n├────┼────┤\\n'));
    console.log('└────┴────┘');
  }
} else if (room === 'queues' && verb === 'create') {
  state.queues.push({ name, producers: 0, consumers: 0 });
  save();
  console.log("🌀 Creating queue '" + name + "'\\n✅ Created queue '" + name + "'");
} else if (room === 'deploy') {
  banner();
  state.secrets ??= [];
  for (const queue of state.queues) {
    queue.consumers = 1;
    if (!queue.name.endsWith('-dead')) queue.producers = 1;
  }
  save();
  const entry = { type: 'deploy', version: 1, worker_name: 'w', targets: [state.url, 'schedule: * * * * *', 'Producer for q'] };
  appendFileSync(process.env.WRANGLER_OUTPUT_FILE_PATH, JSON.stringify({ type: 'wrangler-session' }) + '\\n' + JSON.stringify(entry) + '\\n');
  console.log('Deployed w triggers (0.5 sec)\\n  ' + state.url);
} else fail('Unknown arguments: ' + args.join(', '));
`;
