import { FluxError } from '../core/errors.ts';
import type { FailureKind } from '../core/routing/escalation.ts';
import type { Failure } from './ports.ts';
import type { ProviderSettings } from './settings.ts';

/** Why a status means what it does: providers.md §3 and §4, errors. */
export function kindOf(status: number, code: string, message: string): FailureKind {
  if (code === 'insufficient_quota' || code === 'billing_error' || status === 402) return 'quota';
  // Anthropic says so in a 400.
  if (status === 400 && /credit balance/i.test(message.slice(0, 200))) return 'quota';
  if (status === 403 && isRegional(code, message.slice(0, 200))) return 'egress_blocked';
  if (status === 401 || status === 403) return 'auth';
  if (status === 404)
    return /model/i.test(`${code} ${message.slice(0, 200)}`) ? 'model_unavailable' : 'rejected';
  if (status === 429) return 'rate_limited';
  if (status === 408 || status === 504) return 'timeout';
  if (status === 503 || status === 529) return 'overloaded';
  // A redirect is not followed (a provider's URL comes from the settings), and 409 is the provider's own race.
  if (status >= 500 || status === 409 || (status >= 300 && status < 400)) return 'server_error';
  return 'rejected';
}

/**
 * A 403 that is about the region and not the key (T61). OpenAI says so. Anthropic's is of type `forbidden` with the
 * words "Request not allowed": its refusals of a key are `permission_error` (anthropics/claude-code#1613).
 */
function isRegional(code: string, message: string): boolean {
  return (
    /unsupported_country|\b(country|region|territory)\b/i.test(`${code} ${message}`) ||
    (/\bforbidden\b/.test(code) && /request not allowed/i.test(message))
  );
}

/** An error inside a stream, as the failed try that it is. */
export function failureInside({
  status,
  code,
  message,
}: Pick<Failure, 'status' | 'message'> & { code: string }): Failure {
  const kind = kindOf(status, code, message);
  return { kind, status, message, type: null, code, param: null, retryAfter: null, requestId: null, ms: 0 };
}

/**
 * A provider's failure as the client sees it (contract.md, Errors): its own status and message where they help
 * the client, our words where they could quote a key or make the client suspect its own.
 */
export function toFluxError(failure: Failure, provider: ProviderSettings): FluxError {
  const { id, keyVariable } = provider;
  switch (failure.kind) {
    case 'auth': {
      if (provider.ownKey) {
        return new FluxError(
          `The key of your own for provider '${id}' ${failure.code === 'missing_key' ? "can't be opened any more" : 'was refused there'}: set provider_keys.${id} anew with PATCH /api/settings, or take it out.`,
          { status: 502, code: 'provider_auth' },
        );
      }
      const fix = keyVariable === '' ? `the key of provider '${id}'` : keyVariable;
      return failure.code === 'missing_key'
        ? new FluxError(`There is no key for provider '${id}': set ${fix} where the gateway runs.`, {
            status: 502,
            code: 'provider_auth',
          })
        : new FluxError(
            `Provider '${id}' refused the gateway's key (your own is fine): check ${fix} where the gateway runs.`,
            { status: 502, code: 'provider_auth' },
          );
    }
    case 'quota':
      return new FluxError(
        `${provider.ownKey ? 'Your own' : "The gateway's"} account at provider '${id}' is out of quota or credit: top it up, or configure another provider.`,
        { status: 503, code: 'provider_quota', retryAfter: 60 },
      );
    case 'egress_blocked':
      return new FluxError(
        `Provider '${id}' does not serve the region the gateway runs in: set placement in wrangler.toml to one it serves.`,
        { status: 502, code: 'egress_blocked' },
      );
    case 'client_left':
      // nginx's status for it; there is none in the standard, and nobody reads it.
      return new FluxError('The client left before the answer.', { status: 499, code: 'client_left' });
    case 'timeout':
      if (failure.status !== 0) return passOn(failure, provider);
      return new FluxError(
        `Provider '${id}' did not answer in time. Try again; if it lasts, ask for fewer tokens or use streaming.`,
        { status: 504, code: 'provider_timeout' },
      );
    case 'unreachable':
      return new FluxError(
        failure.code === 'stream_cut'
          ? `Provider '${id}' ended its stream before the answer was finished. What you received is incomplete: send the request again.`
          : `The connection to provider '${id}' failed. Try again; if it lasts, check its base URL where the gateway runs.`,
        { status: 502, code: failure.code === 'stream_cut' ? 'stream_cut' : 'provider_unreachable' },
      );
    default:
      return passOn(failure, provider);
  }
}

/** Seconds a client is told to wait where the provider of a 429 did not say. */
const RATE_LIMIT_PAUSE = 5;

/** A provider's own error, with its status and message (contract.md): clients recover by their wording (T69). */
function passOn(failure: Failure, provider: ProviderSettings): FluxError {
  const passes = [400, 404, 413, 422, 429].includes(failure.status) || failure.status >= 500;
  const retryAfter = failure.retryAfter ?? (failure.status === 429 ? RATE_LIMIT_PAUSE : null);
  return new FluxError(withoutKey(failure.message, provider), {
    status: passes ? failure.status : 502,
    code: failure.code ?? failure.type ?? failure.kind,
    ...(failure.param === null ? {} : { param: failure.param }),
    ...(retryAfter === null ? {} : { retryAfter: Math.ceil(retryAfter) }),
    provider: {
      id: provider.id,
      kind: provider.kind,
      type: failure.type,
      code: failure.code,
      ...(failure.requestId === null ? {} : { requestId: failure.requestId }),
      ...(failure.body ? { body: JSON.parse(withoutKey(JSON.stringify(failure.body), provider)) } : {}),
    },
  });
}

/** Some servers quote the key that they were sent, whatever the error is (T48). */
function withoutKey(message: string, { apiKey }: ProviderSettings): string {
  return apiKey ? message.replaceAll(apiKey, '[key]') : message;
}
