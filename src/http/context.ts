import type { Access, AccessBook } from '../customers/access-book.ts';
import type { Charge } from '../customers/rate-limiter.ts';
import type { Env, Settings } from '../env.ts';
import type { KnownKey } from '../env-keys.ts';
import type { LogStores } from '../log/outbox.ts';
import type { Lease } from './bytes-in-flight.ts';

/** What every route finds in its context. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    settings: Settings;
    stores: LogStores;
    requestId: string;
    /** Milliseconds since the epoch. */
    startedAt: number;
    /** The answer names its request by itself. */
    namesItself?: boolean;
    /** Set behind `withScope`: who asks, and by which settings and limits. */
    key: KnownKey;
    access: Access;
    book: AccessBook;
    /** Set behind `withLimits`: what of the customer's limits and the isolate's memory the request takes. */
    charge: Charge;
    lease: Lease;
  };
}
