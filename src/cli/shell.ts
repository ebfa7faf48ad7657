import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { CommandError } from './command-error.ts';

/** What a command meets outside itself: the environment, and who reads and answers. Tests bring their own. */
export interface Shell {
  variables: Record<string, string | undefined>;
  /** Somebody sits there who can be asked. */
  interactive: boolean;
  /** A result, on standard output. */
  write(text: string): void;
  /** Progress and advice, a line on standard error. */
  note(line: string): void;
  ask(question: string): Promise<string>;
  /** The same, and what is typed does not appear. */
  askSecret(question: string): Promise<string>;
}

/** The process's own. */
export function systemShell(): Shell {
  return {
    variables: process.env,
    interactive: process.stdin.isTTY === true && process.stderr.isTTY === true,
    write: (text) => void process.stdout.write(text),
    note: (line) => void process.stderr.write(`${line}\n`),
    ask: (question) => askOn(question, process.stderr),
    askSecret: async (question) => {
      process.stderr.write(question);
      // Readline echoes what is typed to its output: this one drops it.
      const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
      const answer = await askOn('', nowhere);
      process.stderr.write('\n');
      return answer;
    },
  };
}

/** A variable that is set to something. */
export function setting(shell: Shell, name: string): string | undefined {
  return shell.variables[name]?.trim() || undefined;
}

/** Yes or no; Enter takes the one in capitals. */
export async function confirm(shell: Shell, question: string, otherwise: boolean): Promise<boolean> {
  const answer = (await shell.ask(`${question} [${otherwise ? 'Y/n' : 'y/N'}] `)).trim().toLowerCase();
  return answer === '' ? otherwise : answer === 'y' || answer === 'yes';
}

function askOn(question: string, output: NodeJS.WritableStream): Promise<string> {
  const lines = createInterface({ input: process.stdin, output, terminal: true });
  return new Promise((resolve, reject) => {
    // Ctrl-C and Ctrl-D.
    lines.once('close', () => reject(new CommandError('Nothing was answered: stopped.')));
    lines.question(question, (answer) => {
      resolve(answer.trim());
      lines.close();
    });
  });
}
