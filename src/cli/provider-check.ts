import { kindOf } from '../pipeline/provider-error.ts';
import type { ProviderSettings } from '../pipeline/settings.ts';
import { type ClockReading, readClock } from './doctor/clock.ts';

/** What a provider says to a key, asked for its list of models, which costs nothing. */
export interface ProviderState {
  state: 'ok' | 'refused' | 'egress_blocked' | 'unreachable' | 'failing';
  /** HTTP status; 0 where nobody answered. */
  status: number;
  clock: ClockReading | null;
}

const LIMIT_MS = 15_000;

/** Asks a provider, from this machine, whether it takes the key. Never throws. */
export async function checkProvider(provider: ProviderSettings): Promise<ProviderState> {
  const { id, kind, baseUrl, apiKey } = provider;
  const anthropic = kind === 'anthropic';
  const sent = Date.now();
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${baseUrl}${anthropic ? '/v1/models' : '/models'}`, {
      headers: {
        ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }),
        ...(anthropic ? { 'anthropic-version': '2026-10-21' } : {}),
      },
      redirect: 'manual',
      signal: AbortSignal.timeout(LIMIT_MS),
    });
    text = await response.text();
  } catch {
    return { state: 'unreachable', status: 0, clock: null };
  }
  const { status } = response;
  return { state: stateOf(status, text), status, clock: readClock(id, response.headers, sent, Date.now()) };
}

function stateOf(status: number, body: string): ProviderState['state'] {
  if (status < 300) return 'ok';
  // A local server need not have a list of models; it answers, and that is enough.
  if (status === 404) return 'ok';
  // A page in HTML from whatever stands before the API.
  if (status === 403 && /^\s*</.test(body)) return 'egress_blocked';
  const kind = kindOf(status, body, body);
  if (kind === 'egress_blocked') return kind;
  return kind === 'auth' ? 'refused' : 'failing';
}
