/** Cuts streamed text at the first stop sequence, which is left out, as the provider would have. */
export interface StopCutter {
  /** @returns text that is safe to show, and whether a stop sequence was met. */
  push(text: string): { text: string; stopped: string | null };
  /** What was held back because it could have begun a stop sequence. */
  flush(): string;
}

/** For models that take no `stop` on the wire (reasoning models, providers.md §5). Linear in the text. */
export function createStopCutter(sequences: readonly string[]): StopCutter {
  const longest = Math.max(...sequences.map((sequence) => sequence.length));
  let held = '';
  return {
    push(text) {
      const all = held + text;
      let at = -1;
      let stopped: string | null = null;
      for (const sequence of sequences) {
        const found = all.indexOf(sequence);
        if (found !== -1 && (at === -1 || found < at)) {
          at = found;
          stopped = sequence;
        }
      }
      if (stopped !== null) {
        held = '';
        return { text: all.slice(0, at), stopped };
      }
      const keep = longest > 1 ? partialMatch(all.slice(1 - longest), sequences) : 0;
      held = keep === 0 ? '' : all.slice(-keep);
      return { text: keep === 0 ? all : all.slice(0, -keep), stopped: null };
    },
    flush() {
      const text = held;
      held = '';
      return text;
    },
  };
}

/** Length of the longest end of `tail` that begins a stop sequence. */
function partialMatch(tail: string, sequences: readonly string[]): number {
  for (let length = tail.length; length > 0; length--) {
    const end = tail.slice(-length);
    if (sequences.some((sequence) => sequence.length > length && sequence.startsWith(end))) return length;
  }
  return 0;
}
