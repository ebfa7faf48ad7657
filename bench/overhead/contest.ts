import type { Contestant } from './contestant.ts';
import { type Load, load, writeRequest } from './load.ts';
import { readCost } from './process-cost.ts';

export interface Pace {
  rounds: number;
  /** Of one contestant in one round, milliseconds. */
  slice: number;
  warmUp: number;
}

/** What one contestant did with one body. */
interface Score {
  requests_per_s: number;
  p50_ms: number;
  p99_ms: number;
  /** Process time over requests, what follows the answers included; null where it can't be told. */
  cpu_ms: number | null;
  /** Of the passthrough's processor time a request; unlike rates it means something on a busy machine. */
  cpu_ratio: number | null;
  memory_mib: number | null;
  /** Of the passthrough's requests a second: the median of the rounds. */
  ratio: number;
}

export type Scores = Record<string, Score | { skipped: string }>;

interface Tally {
  answered: number;
  seconds: number;
  latencies: number[];
  cpuMs: number | null;
  mebibytes: number | null;
  rates: number[];
}

/**
 * One body, one number of connections: the contestants take turns, each round in another order, so that what the
 * machine does meanwhile falls on all of them.
 * @param counted is told of every load
 * @throws where a contestant does not answer
 */
export async function compete(
  contestants: readonly Contestant[],
  body: { name: string; text: string },
  connections: number,
  { rounds, slice, warmUp }: Pace,
  counted: (contestant: Contestant, load: Load) => void,
): Promise<Scores> {
  const scores: Scores = {};
  for (const { name, skips } of contestants) {
    const skipped = skips[body.name];
    if (skipped !== undefined) scores[name] = { skipped };
  }
  const racing = contestants.filter(({ name }) => scores[name] === undefined);
  const tallies = new Map<string, Tally>();
  const send = async (contestant: Contestant, ms: number): Promise<Load> => {
    const result = await load(contestant.target.port, requestsOf(contestant, body.text), connections, {
      ms,
    });
    counted(contestant, result);
    if (result.failed > 0 || result.answered === 0) {
      throw new Error(
        `${contestant.name} failed ${result.failed} of ${body.name}, by status: ${JSON.stringify(result.statuses)}`,
      );
    }
    return result;
  };
  for (let round = 0; round < rounds; round += 1) {
    const turn = round % racing.length;
    for (const contestant of [...racing.slice(turn), ...racing.slice(0, turn)]) {
      if (round === 0) await send(contestant, warmUp);
      await contestant.settle();
      const before = readCost(contestant.pid);
      const result = await send(contestant, slice);
      // What the answers leave to be done is part of their price, and must not fall on the next one's turn.
      await contestant.settle();
      const after = readCost(contestant.pid);
      const tally = tallies.get(contestant.name) ?? newTally();
      tallies.set(contestant.name, tally);
      tally.answered += result.answered;
      tally.seconds += result.seconds;
      for (const latency of result.latencies) tally.latencies.push(latency);
      tally.rates.push(result.answered / result.seconds);
      tally.cpuMs = before && after && tally.cpuMs !== null ? tally.cpuMs + after.cpuMs - before.cpuMs : null;
      tally.mebibytes = after?.mebibytes ?? null;
    }
  }
  const reference = tallies.get('passthrough') ?? newTally();
  for (const [name, tally] of tallies) scores[name] = score(tally, reference);
  return scores;
}

/** Each connection's request: all alike, but for headers of its own. */
export function requestsOf({ target, own }: Contestant, body: string): (connection: number) => Buffer {
  if (!own) {
    const bytes = writeRequest(target, body);
    return () => bytes;
  }
  return (connection) =>
    writeRequest({ ...target, headers: { ...target.headers, ...own(connection) } }, body);
}

function newTally(): Tally {
  return { answered: 0, seconds: 0, latencies: [], cpuMs: 0, mebibytes: null, rates: [] };
}

function score(tally: Tally, reference: Tally): Score {
  const { answered, seconds, latencies, mebibytes, rates } = tally;
  const cpu = cpuOf(tally);
  const least = cpuOf(reference);
  return {
    requests_per_s: Math.round(answered / seconds),
    p50_ms: round(quantile(latencies, 0.5)),
    p99_ms: round(quantile(latencies, 0.99)),
    cpu_ms: cpu === null ? null : round(cpu),
    cpu_ratio: cpu !== null && least !== null && least > 0 ? round(cpu / least) : null,
    memory_mib: mebibytes,
    ratio: round(
      quantile(
        rates.map((rate, index) => rate / (reference.rates[index] ?? Number.NaN)),
        0.5,
      ),
    ),
  };
}

/** Milliseconds of processor time a request. */
function cpuOf({ cpuMs, answered }: Tally): number | null {
  return cpuMs === null || answered === 0 ? null : cpuMs / answered;
}

/** @returns NaN of an empty list */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
}

export function round(value: number): number {
  return Number(value.toFixed(3));
}
