#!/usr/bin/env node
import { classifyCommand } from './classify.ts';

/** A sub-command: takes its arguments, answers the exit code (0 ok, 1 failed, 2 wrong usage). */
type Command = (args: string[]) => Promise<number>;

const COMMANDS: Record<string, { about: string; run: Command }> = {
  classify: { about: 'how hard each line of a JSON-lines file is, and why', run: classifyCommand },
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
  return command.run(args);
}

// A reader that has seen enough (`| head`) is no failure of ours.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
process.exitCode = await main(process.argv.slice(2));
