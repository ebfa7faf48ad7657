import { z } from 'zod';
import type { Ask } from './ask.ts';
import { APIS, lastMessageHash, lastUserText, stepKey } from './ask.ts';
import { STOPS } from './reply.ts';

const count = z.number().int().nonnegative();

/** Which request an entry is for; every field given must fit. README.md has the whole format. */
const match = z.strictObject({
  api: z.enum(APIS).optional(),
  model: z.string().optional(),
  stream: z.boolean().optional(),
  contains: z.string().optional(),
  last_message_hash: z.string().optional(),
  call_ids: z.array(z.string()).optional(),
  key: z.string().optional(),
  nth: z.number().int().positive().optional(),
});

const call = { name: z.string(), arguments: z.unknown().optional(), id: z.string().optional() };

const answer = z.strictObject({
  text: z.string().default(''),
  /** Repeats the text up to this many characters, whatever `max_tokens` says. */
  characters: count.optional(),
  /** Characters of one event of a stream; without it, a word. */
  event_characters: z.number().int().positive().optional(),
  calls: z.array(z.strictObject(call)).default([]),
  /** Instead of `text` and `calls`: everything, in its order. */
  parts: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({
          type: z.literal('thinking'),
          text: z.string().optional(),
          tokens: count.default(32),
          redacted: z.boolean().default(false),
        }),
        z.strictObject({
          type: z.literal('text'),
          text: z.string(),
          citations: z.array(z.unknown()).optional(),
        }),
        z.strictObject({ type: z.literal('call'), ...call }),
        z.strictObject({ type: z.literal('block'), block: z.record(z.string(), z.unknown()) }),
      ]),
    )
    .optional(),
  /** Fields to put beside those of the wire. */
  extra: z.record(z.string(), z.unknown()).optional(),
  /** Events to put between those of a stream, so many of them after its start. */
  inject: z
    .array(z.strictObject({ after_events: count, event: z.string().optional(), data: z.unknown() }))
    .optional(),
  refusal: z.string().optional(),
  refusal_category: z.string().optional(),
  stop: z.enum(STOPS).optional(),
  stop_sequence: z.string().optional(),
  thinking: count.optional(),
  /** Instead of the counted usage; `null`: none is reported. */
  usage: z
    .strictObject({
      fresh: count,
      write_5m: count,
      write_1h: count,
      write_30m: count,
      write_12h: count,
      read: count,
      output: count,
      thinking: count,
    })
    .partial()
    .nullish(),
});

const fault = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('status'),
    status: z.number().int().min(100).max(599),
    headers: z.record(z.string(), z.string()).default({}),
    message: z.string().optional(),
    code: z.string().optional(),
    body: z.unknown().optional(),
  }),
  z.strictObject({ kind: z.literal('hang') }),
  z.strictObject({ kind: z.literal('reset') }),
  z.strictObject({
    kind: z.literal('cut'),
    after_events: count.default(3),
    /** Instead of a number of events: in the middle of one, if need be. */
    after_bytes: count.optional(),
  }),
  z.strictObject({ kind: z.literal('stall'), after_events: count.default(3) }),
  z.strictObject({
    kind: z.literal('error_frame'),
    after_events: count.default(0),
    status: z.number().int().default(529),
    message: z.string().optional(),
    code: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('failed'),
    after_events: count.default(3),
    status: z.number().int().default(500),
    message: z.string().optional(),
    code: z.string().optional(),
  }),
  z.strictObject({
    kind: z.literal('error_body'),
    status: z.number().int().default(500),
    message: z.string().optional(),
    code: z.string().optional(),
  }),
  z.strictObject({ kind: z.literal('invalid_json') }),
  z.strictObject({ kind: z.literal('empty') }),
]);

const entry = z
  .strictObject({
    match: match.default({}),
    times: z.union([z.number().int().positive(), z.literal('always')]).default(1),
    delay: z
      .strictObject({
        first_ms: count.default(0),
        between_ms: count.default(0),
        /** Sends a stream in pieces of this size, events or not; `between_ms` is then between pieces. */
        chunk_bytes: z.number().int().positive().optional(),
      })
      .optional(),
    answer: answer.optional(),
    fault: fault.optional(),
  })
  .refine(
    (one) => one.answer === undefined || one.fault === undefined,
    'give an answer or a fault, not both',
  );

/** A list of entries, or one entry, or `{entries: [...]}`. */
export const scriptFile = z.preprocess((file) => {
  if (Array.isArray(file)) return file;
  return file !== null && typeof file === 'object' && 'entries' in file ? file.entries : [file];
}, z.array(entry));

export type ScriptEntry = z.infer<typeof entry>;
export type ScriptedAnswer = z.infer<typeof answer>;
export type Fault = z.infer<typeof fault>;

interface Waiting {
  entry: ScriptEntry;
  order: number;
  left: number;
}

/** Entries waiting for their request. Those with a `key` are looked up, so that thousands cost nothing. */
export class Script {
  #listed: Waiting[] = [];
  readonly #keyed = new Map<string, Waiting[]>();
  #order = 0;
  #requests = 0;

  /** Adds entries behind those that wait. */
  add(entries: readonly ScriptEntry[]): void {
    for (const one of entries) {
      const waiting: Waiting = {
        entry: one,
        order: this.#order++,
        left: one.times === 'always' ? Number.POSITIVE_INFINITY : one.times,
      };
      if (one.match.key === undefined) this.#listed.push(waiting);
      else this.#keyed.set(one.match.key, [...(this.#keyed.get(one.match.key) ?? []), waiting]);
    }
  }

  /** Forgets all entries and starts counting requests from 1 again. */
  clear(): void {
    this.#listed = [];
    this.#keyed.clear();
    this.#requests = 0;
  }

  /** Entries that still wait. */
  get waiting(): number {
    return this.#listed.length + [...this.#keyed.values()].reduce((sum, list) => sum + list.length, 0);
  }

  /** The first entry, in the order they were given, that fits; used up by it. */
  take(ask: Ask): ScriptEntry | undefined {
    const nth = ++this.#requests;
    const key = this.#keyed.size > 0 ? stepKey(ask.turns) : '';
    const keyed = this.#keyed.get(key)?.find((one) => fits(one.entry, ask, nth));
    const listed = this.#listed.find((one) => fits(one.entry, ask, nth));
    const chosen =
      keyed !== undefined && (listed === undefined || keyed.order < listed.order) ? keyed : listed;
    if (chosen === undefined) return undefined;
    chosen.left -= 1;
    if (chosen.left > 0) return chosen.entry;
    if (chosen === keyed) {
      const rest = this.#keyed.get(key)?.filter((one) => one !== chosen) ?? [];
      if (rest.length > 0) this.#keyed.set(key, rest);
      else this.#keyed.delete(key);
    } else this.#listed = this.#listed.filter((one) => one !== chosen);
    return chosen.entry;
  }
}

function fits({ match: wanted }: ScriptEntry, ask: Ask, nth: number): boolean {
  return (
    (wanted.api === undefined || wanted.api === ask.api) &&
    (wanted.model === undefined || wanted.model === ask.model) &&
    (wanted.stream === undefined || wanted.stream === ask.stream) &&
    (wanted.nth === undefined || wanted.nth === nth) &&
    (wanted.call_ids === undefined || wanted.call_ids.every((id) => ask.callIds.includes(id))) &&
    (wanted.contains === undefined || lastUserText(ask).includes(wanted.contains)) &&
    (wanted.last_message_hash === undefined || wanted.last_message_hash === lastMessageHash(ask.turns))
  );
}
