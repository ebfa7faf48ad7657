import type { Usage } from '../../core/accounting/usage.ts';
import type { Message } from '../../core/conversation.ts';
import type { ProviderKind } from '../../core/routing/catalog.ts';
import type { LoggedPrompt } from './log-request.ts';

/** What one record of a log holds. */
export type LogEntry = LoggedTrace | LoggedRequest | { kind: 'other' };

/** A whole conversation: every answer in it is a step. */
export interface LoggedTrace extends LoggedPrompt {
  kind: 'trace';
  id: string | null;
  /** When its messages came, in milliseconds since the epoch; null where the log does not say. */
  at: readonly (number | null)[];
  /** What its answers took, one each; or one for all of them. */
  bills: readonly LoggedBill[];
}

/** One request and its answer. */
export interface LoggedRequest extends LoggedPrompt {
  kind: 'request';
  id: string | null;
  /** Null: the log does not hold it, only how long it was. */
  answer: Message | null;
  at: number | null;
  bill: LoggedBill | null;
}

/** What the log says of an answer's tokens and price. */
export interface LoggedBill {
  /** As the log names it. */
  model: string;
  provider: ProviderKind;
  usage: Usage | null;
  /** USD, where the log has a figure of its own. */
  reported: number | null;
}

/** A record that can't be replayed. Its message says why, and quotes no content. */
export class UnreadableRecord extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnreadableRecord';
  }
}
