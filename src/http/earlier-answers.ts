import type { Context } from 'hono';
import type { AnswerWriter, ClientDialect, Keeping } from '../core/dialects/client-dialect.ts';
import { FluxError } from '../core/errors.ts';
import { logLine } from '../log/line.ts';
import { keepAnswer, readAnswers } from '../sessions/kept-answers.ts';
import type { ContentStore } from '../sessions/kept-content.ts';
import { customerOf } from './auth.ts';
import { parseBody } from './body.ts';
import type { AppEnv } from './context.ts';

/** A body in which everything the gateway kept of earlier answers stands where it was named. */
export interface CompleteBody {
  rawBody: string;
  body: unknown;
  /** The answer that it goes on from. */
  continues?: string;
}

/**
 * Puts what was kept of earlier answers where a body names it. One wait, and only where it names something.
 * @throws FluxError 404 where there is no such answer of this customer's; 413, 503
 */
export async function completeBody(
  c: Context<AppEnv>,
  { keeping }: ClientDialect,
  rawBody: string,
): Promise<CompleteBody> {
  const body = parseBody(rawBody);
  const named = keeping?.named(body);
  if (!keeping || !named) return { rawBody, body };
  const { step } = c.get('access');
  const store = contentStoreOf(c);
  const found = store
    ? await readAnswers(store, customerOf(c.get('key'), undefined), named)
    : { items: new Map<string, string>() };
  if (named.response !== undefined && found.response === undefined) {
    // Under a key of its own the customer may mean one that its provider keeps (core/stored-objects.ts).
    if ([...step.providers.values()].some(({ ownKey }) => ownKey)) return { rawBody, body };
    throw notFound(named.response, store !== null);
  }
  const whole = keeping.resolve(rawBody, body, found);
  takeRoom(c, whole, rawBody.length, {
    param: 'previous_response_id',
    advice: "Shorten it and send it as 'input', without previous_response_id.",
  });
  return {
    rawBody: whole,
    body: parseBody(whole),
    ...(named.response === undefined ? {} : { continues: named.response }),
  };
}

/** Keeps an answer once it is written, where its client may go on from it. Never rejects. */
export async function keepFor(
  c: Context<AppEnv>,
  keeping: Keeping,
  rawBody: string,
  writer: AnswerWriter,
): Promise<void> {
  const answer = writer.kept?.();
  const store = contentStoreOf(c);
  if (!answer || !store) return;
  const customer = customerOf(c.get('key'), undefined);
  const { retentionDays } = c.get('access').step;
  try {
    await keepAnswer(store, customer, answer.id, keeping.keepable(rawBody, answer), retentionDays);
  } catch {
    logLine('warn', 'answer_not_kept');
  }
}

/** Whether this deployment can keep answers: sealed, or not at all. */
export function canKeep(c: Context<AppEnv>): boolean {
  return c.get('settings').secrets.length > 0;
}

/** Where content is kept; null: nowhere, for there is nothing to seal it under. */
export function contentStoreOf(c: Context<AppEnv>): ContentStore | null {
  const [first, ...before] = c.get('settings').secrets;
  return first === undefined ? null : { redis: c.get('stores').redis, secrets: [first, ...before] };
}

/**
 * What was kept takes memory as what is sent does (T63).
 * @param taken characters of it that its lease has been charged with
 * @throws FluxError 413, 503
 */
export function takeRoom(
  c: Context<AppEnv>,
  whole: string,
  taken: number,
  { param, advice }: { param: string; advice: string },
): void {
  const { maxBodyBytes } = c.get('settings');
  if (whole.length > maxBodyBytes) {
    throw new FluxError(
      `With all that was said before, the conversation is larger than ${maxBodyBytes} bytes. ${advice}`,
      { status: 413, code: 'request_too_large', param },
    );
  }
  c.get('lease').take(Math.max(0, whole.length - taken));
}

/** OpenAI's words. */
function notFound(id: string, isKept: boolean): FluxError {
  const why = isKept
    ? "Answers are kept for 30 days at most, and none that came with 'store': false. Send the whole conversation as 'input'."
    : "This gateway keeps no answers (FLUX_SECRET is not set): send the whole conversation as 'input'.";
  return new FluxError(`Previous response with id '${id.slice(0, 128)}' not found. ${why}`, {
    status: 404,
    code: 'previous_response_not_found',
    param: 'previous_response_id',
  });
}
