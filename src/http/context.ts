import type { Env, Settings } from '../env.ts';
import type { KnownKey } from '../env-keys.ts';
import type { LogStores } from '../log/outbox.ts';

/** What every route finds in its context. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    settings: Settings;
    stores: LogStores;
    requestId: string;
    /** Milliseconds since the epoch. */
    startedAt: number;
    /** Set behind {@link requireKey}. */
    key: KnownKey;
  };
}
