/** Tokens in disjoint classes: the simulators' own account of what a request would have cost. */
export interface TokenUsage {
  fresh: number;
  write_5m: number;
  write_1h: number;
  write_30m: number;
  write_12h: number;
  read: number;
  /** Thinking included. */
  output: number;
  thinking: number;
}

/** A usage with the given classes and zero in the others. */
export function tokenUsage(part: Partial<TokenUsage>): TokenUsage {
  return {
    fresh: 0,
    write_5m: 0,
    write_1h: 0,
    write_30m: 0,
    write_12h: 0,
    read: 0,
    output: 0,
    thinking: 0,
    ...part,
  };
}

/** All input: fresh, written, read. */
export function inputOf(usage: TokenUsage): number {
  return usage.fresh + usage.write_5m + usage.write_1h + usage.write_30m + usage.write_12h + usage.read;
}
