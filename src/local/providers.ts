import { StartError } from './start-error.ts';

/** A provider that calls may go to. */
export interface ProviderTarget {
  id: string;
  url: string;
  loopback: boolean;
}

/** `simulated`: this machine makes the answers up. `live`: they may cost money. `own`: all providers are local servers. */
export type ProviderMode = 'simulated' | 'live' | 'own';

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Providers are simulated only where nobody has set one up. */
export function wantsSimulators(variables: Record<string, string>): boolean {
  return !variables.ANTHROPIC_API_KEY && !variables.OPENAI_API_KEY && !variables.FLUX_PROVIDERS;
}

/** Both providers, answered by the simulators at `url`. A base URL without its key is no provider, and gives way. */
export function simulatedProviders(url: string): Record<string, string> {
  return {
    ANTHROPIC_API_KEY: 'simulated',
    ANTHROPIC_BASE_URL: url,
    OPENAI_API_KEY: 'simulated',
    OPENAI_BASE_URL: `${url}/v1`,
  };
}

/**
 * Those that have a key or are configured, and where their calls go.
 * @throws StartError if one of them is this gateway itself
 */
export function providerTargets(
  providers: Iterable<{ id: string; baseUrl: string; apiKey?: string }>,
  port: number,
): ProviderTarget[] {
  const targets: ProviderTarget[] = [];
  for (const { id, baseUrl, apiKey } of providers) {
    if (apiKey === undefined && (id === 'anthropic' || id === 'openai')) continue;
    const url = new URL(baseUrl);
    const loopback = LOOPBACK.test(url.hostname);
    if (loopback && port !== 0 && Number(url.port) === port) {
      throw new StartError(
        `The provider '${id}' has the base URL ${url.origin}, which is this gateway: it would call itself. ` +
          'Unset the base URL (a tool connected to the gateway may have set it), or choose another PORT.',
      );
    }
    targets.push({ id, url: url.origin, loopback });
  }
  return targets;
}

/** Which words the closing lines need. */
export function modeOf(targets: readonly ProviderTarget[]): ProviderMode {
  return targets.every(({ loopback }) => loopback) ? 'own' : 'live';
}
