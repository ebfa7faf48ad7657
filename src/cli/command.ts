import { type ParseArgsOptionsConfig, parseArgs } from 'node:util';
import { CommandError, wrongUsage } from './command-error.ts';
import type { Shell } from './shell.ts';

/** Takes its arguments, answers the exit code: 0 ok, 1 failed, 2 wrong usage. */
export type Command = (args: string[], shell: Shell) => Promise<number>;

/** What a command found or did: for people, and as JSON for scripts. */
export interface Outcome {
  text: string;
  json: unknown;
  /** Exit code 1, though there is a result. */
  failed?: boolean;
}

/** Flags every command has. */
const COMMON = {
  json: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const satisfies ParseArgsOptionsConfig;

/** What `parseArgs` gives for flags O. */
type Values<O extends ParseArgsOptionsConfig> = ReturnType<typeof parseArgs<{ options: O }>>['values'] & {
  json?: boolean;
  help?: boolean;
};

interface CommandParts<O extends ParseArgsOptionsConfig> {
  /** As it is called: `keys create`. */
  name: string;
  help: string;
  options: O;
  /** Names of the arguments it must have, in order. */
  arguments?: readonly string[];
  run(values: Values<O>, shell: Shell, ...given: string[]): Promise<Outcome>;
}

/**
 * A command with the manners all share: `--help`, `--json` (one JSON value on standard output, errors as
 * `{"error": …}`), exit codes, and errors in one line.
 */
export function command<const O extends ParseArgsOptionsConfig>(parts: CommandParts<O>): Command {
  return async (args, shell) => {
    try {
      const { values, positionals } = parse(args, parts);
      if (values.help) {
        shell.write(parts.help);
        return 0;
      }
      const wanted = parts.arguments ?? [];
      if (positionals.length !== wanted.length) {
        const extra = positionals[wanted.length];
        throw wrongUsage(
          extra === undefined ? `${wanted[positionals.length]} is missing` : `'${extra}' is one too many`,
        );
      }
      const outcome = await parts.run(values, shell, ...positionals);
      shell.write(values.json ? `${JSON.stringify(outcome.json)}\n` : outcome.text);
      return outcome.failed ? 1 : 0;
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return report(error, parts, args.includes('--json'), shell);
    }
  };
}

/** A command of several: `flux keys create`. */
export function commandGroup(name: string, help: string, commands: Record<string, Command>): Command {
  return async ([first, ...rest], shell) => {
    if (first === '--help' || first === '-h') {
      shell.write(help);
      return 0;
    }
    const chosen = first !== undefined && Object.hasOwn(commands, first) ? commands[first] : undefined;
    if (chosen) return chosen(rest, shell);
    const problem = first === undefined ? 'say what to do' : `no '${first}' here`;
    const error = wrongUsage(`${problem}: ${Object.keys(commands).join(', ')}`);
    return report(error, { name, help }, rest.includes('--json'), shell);
  };
}

function parse<O extends ParseArgsOptionsConfig>(
  args: string[],
  { options }: CommandParts<O>,
): { values: Values<O>; positionals: string[] } {
  try {
    const parsed = parseArgs({ args, options: { ...options, ...COMMON }, allowPositionals: true });
    // Of a type parameter's flags the compiler can't say what it says of any that stand there.
    return { values: parsed.values as Values<O>, positionals: parsed.positionals };
  } catch (error) {
    throw wrongUsage(error instanceof Error ? error.message : String(error));
  }
}

function report(
  error: CommandError,
  { name, help }: { name: string; help: string },
  json: boolean,
  shell: Shell,
): number {
  if (json) shell.write(`${JSON.stringify({ error: error.message })}\n`);
  shell.note(`flux ${name}: ${error.message}${error.exitCode === 2 ? `\n\n${help}` : ''}`);
  return error.exitCode;
}
