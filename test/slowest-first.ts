import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that wait much or start stacks, longest first: begun last, the run would wait for them alone. */
const SLOWEST = [
  'faults/outages',
  'local/start',
  'local/stack',
  'http/limits',
  'journeys/chat',
  'cli/npm-start',
  'faults/ctrl-c',
  'cli/doctor',
  'docs/blocks',
  'log/delivery',
  'journeys/canary',
  'local/streaming',
  'local/postgres/pglite',
  'http/keys',
  'http/settings',
  'cli/init',
];

/** A file that is not listed comes behind those that are. */
const rankOf = ({ moduleId }: TestSpecification): number => {
  const rank = SLOWEST.findIndex((name) => moduleId.endsWith(`test/${name}.test.ts`));
  return rank === -1 ? SLOWEST.length : rank;
};

export class SlowestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).toSorted((one, other) => rankOf(one) - rankOf(other));
  }
}
