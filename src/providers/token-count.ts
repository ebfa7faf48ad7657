import { FluxError } from '../core/errors.ts';
import { toFluxError } from '../pipeline/provider-error.ts';
import { type Addressed, postTokenCount } from './anthropic.ts';
import { IdleTimeout } from './body-reader.ts';
import { readFailure } from './failure.ts';

/**
 * What Anthropic counts of a request, as it answers it. One try: a client counts again, or does without.
 * @throws FluxError as for a step
 */
export async function countProviderTokens(call: Addressed, left: AbortSignal): Promise<string> {
  const { provider, timeouts } = call;
  const started = Date.now();
  const late = AbortSignal.timeout(timeouts.firstByte);
  try {
    if (provider.apiKey === undefined && provider.keyVariable !== '') {
      throw new FluxError(`No key for provider '${provider.id}'.`, { status: 401, code: 'missing_key' });
    }
    const response = await postTokenCount(call, AbortSignal.any([left, late]));
    return await response.text();
  } catch (error) {
    const seen = late.aborted ? new IdleTimeout(timeouts.firstByte) : error;
    throw toFluxError(readFailure(seen, Date.now() - started), provider);
  }
}
