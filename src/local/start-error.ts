/** A start that cannot go on for a reason the user can mend. Its message says what to do; it is shown without a stack. */
export class StartError extends Error {
  override name = 'StartError';
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
