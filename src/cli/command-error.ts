/** Ends a command with words for its user: what is wrong, and what to do next. Never quotes a secret. */
export class CommandError extends Error {
  /** 1: it failed. 2: it was called wrongly. */
  readonly exitCode: 1 | 2;

  constructor(message: string, exitCode: 1 | 2 = 1) {
    super(message);
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** The command line asks for something that there is not. */
export function wrongUsage(message: string): CommandError {
  return new CommandError(message, 2);
}
