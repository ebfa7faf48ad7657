import type { Target } from './load.ts';

/** A gateway in front of the bench's upstream, in a process of its own. */
export interface Contestant {
  name: string;
  target: Target;
  /** Headers that each connection has for itself. */
  own?: (connection: number) => Record<string, string>;
  /** The process whose time and memory are counted. */
  pid: number;
  /** Bodies it can't take, and why. */
  skips: Readonly<Record<string, string>>;
  /** What it still does after its answers is done. */
  settle(): Promise<void>;
  stop(): Promise<void>;
}
