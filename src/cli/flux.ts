#!/usr/bin/env node
import { existsSync } from 'node:fs';
import type { Command } from './command.ts';
import { systemShell } from './shell.ts';

/** What each command is for, and its code, which is read only when it is called: `classify` needs no database. */
const COMMANDS: Record<string, { about: string; load: () => Promise<Command> }> = {
  classify: {
    about: 'how hard each line of a JSON-lines file is, and why',
    load: async () => (await import('./classify.ts')).classifyCommand,
  },
  replay: {
    about: 'what your own logs would have cost under each policy',
    load: async () => (await import('./replay.ts')).replayCommand,
  },
  keys: {
    about: 'make, list and revoke API keys of a running gateway',
    load: async () => (await import('./keys.ts')).keysCommand,
  },
  migrate: {
    about: 'bring the schema of Postgres up to date',
    load: async () => (await import('./migrate.ts')).migrateCommand,
  },
  init: {
    about: 'set up a deployment in your Cloudflare account',
    load: async () => (await import('./init.ts')).initCommand,
  },
  doctor: {
    about: 'what is wrong with a gateway, and what to do about it',
    load: async () => (await import('./doctor.ts')).doctorCommand,
  },
  dlq: {
    about: 'steps that are logged and not in Postgres: list and replay',
    load: async () => (await import('./dlq.ts')).dlqCommand,
  },
};

const HELP = `Usage: flux COMMAND [options]

Commands:
${Object.entries(COMMANDS)
  .map(([name, { about }]) => `  ${name.padEnd(10)} ${about}`)
  .join('\n')}

flux COMMAND --help tells more about one. Exit code: 0 ok, 1 failed, 2 wrong usage.
`;

/** Runs what the command line names. */
async function main([name, ...args]: string[]): Promise<number> {
  if (name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  const command = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) {
    process.stderr.write(
      name === undefined ? HELP : `flux: no command "${name}". The commands are listed by flux --help.\n`,
    );
    return 2;
  }
  // As npm start does: the environment wins over the file.
  if (existsSync('.env')) process.loadEnvFile('.env');
  const run = await command.load();
  return run(args, systemShell());
}

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));
