import { FluxError } from '../core/errors.ts';
import type { Failure } from './ports.ts';
import type { ProviderSettings } from './settings.ts';

/**
 * A provider's failure as the client sees it (contract.md, Errors): its own status and message where they help
 * the client, our words where they could quote a key or make the client suspect its own.
 */
export function toFluxError(failure: Failure, provider: ProviderSettings): FluxError {
  const { id, keyVariable } = provider;
  switch (failure.kind) {
    case 'auth': {
      const fix = keyVariable === '' ? `the key of provider '${id}'` : keyVariable;
      return failure.type === 'missing_key'
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
        `The gateway's account at provider '${id}' is out of quota or credit: top it up, or configure another provider.`,
        { status: 503, code: 'provider_quota', retryAfter: 60 },
      );
    case 'timeout':
      return new FluxError(
        `Provider '${id}' did not answer in time. Try again; if it lasts, ask for fewer tokens or use streaming.`,
        { status: 504, code: 'provider_timeout' },
      );
    case 'unreachable':
      return new FluxError(
        failure.type === 'stream_cut'
          ? `Provider '${id}' ended its stream before the answer was finished. What you received is incomplete: send the request again.`
          : `The connection to provider '${id}' failed. Try again; if it lasts, check its base URL where the gateway runs.`,
        { status: 502, code: failure.type === 'stream_cut' ? 'stream_cut' : 'provider_unreachable' },
      );
    default: {
      const passes = [400, 404, 413, 422, 429].includes(failure.status) || failure.status >= 500;
      return new FluxError(failure.message, {
        status: passes ? failure.status : 502,
        code: failure.type ?? failure.kind,
        ...(failure.param === null ? {} : { param: failure.param }),
        ...(failure.retryAfter === null ? {} : { retryAfter: Math.ceil(failure.retryAfter) }),
        provider: {
          id,
          status: failure.status,
          ...(failure.requestId === null ? {} : { requestId: failure.requestId }),
          ...(failure.type === null ? {} : { type: failure.type }),
        },
      });
    }
  }
}
