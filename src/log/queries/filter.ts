import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm';
import type { AnyPgColumn } from 'drizzle-orm/pg-core';
import { queries } from '../../stores/schema.ts';
import type { Period } from '../period.ts';

/** Which steps are asked about: never those of more than one customer. */
export interface StepFilter {
  customer: string;
  period: Period;
  /** Names and values; a step must have all of them. */
  tags: readonly (readonly [name: string, value: string])[];
}

/** The condition on rows of `queries`, or of `table`, an alias of it. */
export function matching(
  { customer, period, tags }: StepFilter,
  table: Record<'customer' | 'started_at' | 'tags', AnyPgColumn> = queries,
): SQL | undefined {
  return and(
    eq(table.customer, customer),
    gte(table.started_at, period.from),
    lt(table.started_at, period.to),
    ...tags.map(([name, value]) => sql`${table.tags} @> ${JSON.stringify({ [name]: value })}::jsonb`),
  );
}
