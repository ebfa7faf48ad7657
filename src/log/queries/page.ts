/** Where a page ends: the next one begins after the item `id` at the time `at`. */
export interface Position {
  at: Date;
  id: string;
}

/** At most `limit` items, from the first one or from where the last page ended. */
export interface Page {
  limit: number;
  after: Position | null;
}

/** Takes `limit` of the `limit + 1` rows that were read: one more row says that there is a next page. */
export function cutPage<T>(
  rows: T[],
  { limit }: Page,
  positionOf: (row: T) => Position,
): { data: T[]; next: Position | null } {
  const data = rows.slice(0, limit);
  const last = data.at(-1);
  return { data, next: last && rows.length > limit ? positionOf(last) : null };
}
