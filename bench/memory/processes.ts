import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** A process of this machine. */
interface Process {
  pid: number;
  parent: number;
  /** Resident memory, bytes. */
  rss: number;
  command: string;
}

/** The part of `npm start` that a process is. */
const PARTS: readonly [name: string, command: RegExp][] = [
  ['workerd', /workerd/],
  ['gateway', /gateway\.ts/],
  ['stores', /stores\.ts/],
  ['simulator', /simulator\.ts/],
];

/** The processes of a running `npm start` by their parts; `main` is the one with this id. */
export function findParts(main: number): Map<string, number> {
  const parts = new Map([['main', main]]);
  const all = listProcesses();
  const inside = new Set([main]);
  // Parents may stand after their children: as deep as the tree is (main, gateway, workerd).
  for (let depth = 0; depth < 3; depth += 1) {
    for (const { pid, parent } of all) if (inside.has(parent)) inside.add(pid);
  }
  for (const { pid, command } of all) {
    const name = PARTS.find(([, pattern]) => pattern.test(command))?.[0];
    if (name !== undefined && pid !== main && inside.has(pid)) parts.set(name, pid);
  }
  return parts;
}

/** Resident bytes of each part; a part that has ended has none. */
export function readMemory(parts: ReadonlyMap<string, number>): Map<string, number> {
  const all = new Map(listProcesses().map((one) => [one.pid, one.rss]));
  return new Map([...parts].map(([name, pid]) => [name, all.get(pid) ?? 0]));
}

/** Linux images often come without `ps`, other systems without `/proc`. */
function listProcesses(): Process[] {
  return existsSync('/proc/self/status') ? readProc() : runPs();
}

function readProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const command = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        const field = (label: string) =>
          Number(new RegExp(`^${label}:\\s*(\\d+)`, 'm').exec(status)?.[1] ?? 0);
        return [{ pid: Number(name), parent: field('PPid'), rss: field('VmRSS') * 1024, command }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function runPs(): Process[] {
  const text = execFileSync('ps', ['-A', '-o', 'pid=,ppid=,rss=,args='], { encoding: 'utf8' });
  return text.split('\n').flatMap((line) => {
    const found = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    if (found === null) return [];
    const [, pid, parent, rss, command = ''] = found;
    return [{ pid: Number(pid), parent: Number(parent), rss: Number(rss) * 1024, command }];
  });
}
