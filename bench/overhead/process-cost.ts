import { readdirSync, readFileSync } from 'node:fs';

/** Clock ticks a second in /proc: 100 on every Linux that is still in use. */
const TICKS = 100;

/** What a process has taken so far; null where there is no /proc. */
export interface ProcessCost {
  cpuMs: number;
  /** Resident memory. */
  mebibytes: number;
}

export function readCost(pid: number): ProcessCost | null {
  try {
    const fields = statOf(pid);
    // man 5 proc: utime and stime are fields 14 and 15, of which the first after the name is the third.
    const cpuMs = ((Number(fields[11]) + Number(fields[12])) * 1000) / TICKS;
    const kibibytes = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return { cpuMs, mebibytes: Math.round(Number(kibibytes) / 1024) };
  } catch {
    return null;
  }
}

/** The workerd processes that a process has started. */
export function workerdsOf(parent: number): number[] {
  try {
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
      .filter((pid) => {
        try {
          return (
            Number(statOf(pid)[1]) === parent &&
            readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('workerd')
          );
        } catch {
          // It ended while we looked.
          return false;
        }
      });
  } catch {
    return [];
  }
}

/** The fields after the name, which may itself hold spaces. */
function statOf(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).split(' ');
}
