/** Range of each field of a cron expression: minute, hour, day of the month, month, day of the week. */
const FIELDS: readonly [least: number, most: number][] = [
  [0, 59],
  [0, 23],
  [1, 31],
  [1, 12],
  [1, 7],
];

/**
 * Whether a cron expression of wrangler.toml fires in the minute of `at` (UTC). Numbers, `*`, lists, ranges and steps;
 * days of the week count from 1 = Sunday, as Cloudflare has them.
 *
 * @throws Error for an expression it can't read, e.g. one with names
 */
export function firesAt(expression: string, at: Date): boolean {
  const fields = expression.trim().split(/\s+/);
  const now = [
    at.getUTCMinutes(),
    at.getUTCHours(),
    at.getUTCDate(),
    at.getUTCMonth() + 1,
    at.getUTCDay() + 1,
  ];
  if (fields.length !== FIELDS.length)
    throw new Error(`The cron '${expression}' has ${fields.length} fields, not 5.`);
  const fits = FIELDS.map(([least, most], i) => {
    const values = (fields[i] ?? '').split(',').flatMap((part) => partOf(part, least, most));
    if (values.length === 0)
      throw new Error(`The cron '${expression}' can't be read: write its fields as numbers.`);
    return values.includes(now[i] ?? -1);
  });
  const [minute, hour, day, month, weekday] = fits;
  // Where both days are restricted, one of them is enough.
  const bothDays = fields[2] !== '*' && fields[4] !== '*';
  return Boolean(minute && hour && month && (bothDays ? day || weekday : day && weekday));
}

/** `*`, `5`, `1-5`, `*` or a range with `/2`: the numbers it stands for; none if it is not one of these. */
function partOf(part: string, least: number, most: number): number[] {
  const match = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part);
  if (match === null) return [];
  const [, first, last, step] = match;
  const from = first === undefined ? least : Number(first);
  // `5/10` runs on to the end; `5` is itself alone.
  const to = last !== undefined ? Number(last) : first === undefined || step !== undefined ? most : from;
  const by = step === undefined ? 1 : Number(step);
  if (from < least || to > most || by === 0) return [];
  const numbers: number[] = [];
  for (let value = from; value <= to; value += by) numbers.push(value);
  return numbers;
}
