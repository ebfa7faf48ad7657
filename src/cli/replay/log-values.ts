/** A value that some exports write as JSON text. */
export function unpacked(value: unknown): unknown {
  if (typeof value !== 'string' || !/^\s*[[{"]/.test(value)) return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

/** Milliseconds since the epoch: of ISO text, of Langfuse's and Postgres' (UTC, no zone), of seconds or milliseconds. */
export function timeOf(value: unknown): number | null {
  if (typeof value === 'number' && Number.isFinite(value) && value > 0) {
    // Seconds until the year 5138.
    return value < 1e11 ? value * 1_000 : value;
  }
  if (typeof value !== 'string') return null;
  const hasZone = /(?:Z|[+-]\d\d:?\d\d)$/.test(value);
  const time = Date.parse(hasZone || !value.includes(':') ? value : `${value.replace(' ', 'T')}Z`);
  return Number.isNaN(time) ? null : time;
}
