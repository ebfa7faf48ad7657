import { begunRecord, type QueuedRecord, stepRecord } from '../pipeline/record.ts';

/** Steps as a table: the names of their members once, then the values of each in that order. */
interface Table {
  fields: unknown[];
  rows: unknown[];
}

/**
 * Steps as the text of a queue's message. The names are more than half of a step, and all that the message goes through
 * pay for its length.
 */
export function writeSteps(steps: readonly QueuedRecord[]): string {
  const fields = steps[0]?.state === 'begun' ? BEGUN : STEP;
  const rows: unknown[][] = [];
  for (const step of steps) {
    const row = valuesOf(step, fields);
    // No table holds that nothing stands in a place.
    if (row === null) return JSON.stringify(steps);
    rows.push(row);
  }
  return JSON.stringify({ fields, rows });
}

const STEP = Object.keys(stepRecord.shape);
const BEGUN = Object.keys(begunRecord.shape);

/** Null where a member is missing, or there is another. */
function valuesOf(step: QueuedRecord, fields: readonly string[]): unknown[] | null {
  const members: Record<string, unknown> = step;
  if (Object.keys(members).length !== fields.length) return null;
  const values: unknown[] = [];
  for (const name of fields) {
    const value = members[name];
    if (value === undefined) return null;
    values.push(value);
  }
  return values;
}

/**
 * The items of a message: of a table its steps, of an array what is in it, else the message itself. What they are is not
 * looked at.
 */
export function readItems(message: unknown): unknown[] {
  const body = typeof message === 'string' ? parse(message) : message;
  if (Array.isArray(body)) return body;
  return isTable(body) ? body.rows.map((values) => readRow(body.fields, values)) : [body];
}

function readRow(fields: readonly unknown[], values: unknown): unknown {
  // Neither more nor less than the names: what is buried then is all of it.
  if (!Array.isArray(values) || values.length !== fields.length) return values;
  const step: Record<string, unknown> = {};
  for (let index = 0; index < fields.length; index += 1) step[String(fields[index])] = values[index];
  return step;
}

function isTable(body: unknown): body is Table {
  if (typeof body !== 'object' || body === null || !('fields' in body) || !('rows' in body)) return false;
  return Array.isArray(body.fields) && Array.isArray(body.rows);
}

/** @returns the text itself where it is not JSON */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
