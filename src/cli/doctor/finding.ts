/** One thing the doctor looked at. */
export interface Finding {
  /** Stable, for scripts: `missing_secret`, `queue_missing`; of what is well, what was looked at. */
  code: string;
  /** `skipped`: it could not be looked at, and `fix` says what it takes. Only an `error` makes exit code 1. */
  level: 'ok' | 'warning' | 'error' | 'skipped';
  message: string;
  /** What to do about it. */
  fix?: string;
}

export function ok(code: string, message: string): Finding {
  return { code, level: 'ok', message };
}

export function fault(code: string, message: string, fix: string): Finding {
  return { code, level: 'error', message, fix };
}

export function warning(code: string, message: string, fix: string): Finding {
  return { code, level: 'warning', message, fix };
}

export function skipped(code: string, message: string, fix: string): Finding {
  return { code, level: 'skipped', message, fix };
}
