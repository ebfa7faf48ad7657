import { parentPort, workerData } from 'node:worker_threads';
import type { ConfiguredPrices } from '../../src/core/accounting/prices.ts';
import { makeTrajectories } from '../steps/generator.ts';
import { readTrajectories } from '../steps/trajectory.ts';
import { type CellFigures, runCell } from './cell.ts';
import { type Cell, chancesOf } from './cells.ts';
import { type Session, toSession } from './sessions.ts';
import { tierSet } from './tier-sets.ts';

/** A share of the bench's cells, for one thread. */
export interface Job {
  /** Null: made up. */
  traces: string | null;
  made: number;
  prices: ConfiguredPrices;
  draws: number;
  seed: number;
  work: readonly { tiers: string; cell: Cell }[];
}

export interface CellResult extends Cell, CellFigures {
  tiers: string;
}

/** The bench's trajectories: a file's, or as many made-up ones. */
export function trajectoriesOf({ traces, made, seed }: Pick<Job, 'traces' | 'made' | 'seed'>) {
  return traces === null ? makeTrajectories(made, seed) : readTrajectories(traces);
}

function run(job: Job): void {
  const trajectories = trajectoriesOf(job);
  const sessions = new Map<number, Session[]>();
  for (const { tiers, cell } of job.work) {
    const scaled =
      sessions.get(cell.scale) ??
      trajectories.map((one) => toSession(one, cell.scale)).filter(({ length }) => length > 0);
    sessions.set(cell.scale, scaled);
    const set = tierSet(tiers, job.prices);
    const result: CellResult = { tiers, ...cell, ...runCell(set, scaled, chancesOf(cell, set), job) };
    parentPort?.postMessage(result);
  }
}

// Sent by the parent as a Job; undefined where this file is imported for its functions.
if (parentPort && workerData) run(workerData as Job);
