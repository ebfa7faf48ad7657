import type { ProviderSettings } from '../../pipeline/settings.ts';
import { checkProvider, type ProviderState } from '../provider-check.ts';
import type { ClockReading } from './clock.ts';
import { type Finding, fault, ok, skipped, warning } from './finding.ts';

/** Whether each provider takes its key, asked from this machine. */
export async function checkProviders(
  providers: readonly ProviderSettings[],
  secrets: readonly string[],
): Promise<{ findings: Finding[]; clocks: ClockReading[]; accepted: string[] }> {
  const usable = providers.filter(({ apiKey, keyVariable }) => apiKey !== undefined || keyVariable === '');
  const states = await Promise.all(usable.map(checkProvider));
  const findings = usable.map((provider, index) => judge(provider, states[index]));
  for (const { id, apiKey, keyVariable } of providers) {
    if (apiKey !== undefined || !secrets.includes(keyVariable)) continue;
    findings.push(
      skipped(
        'provider_key',
        `The key for '${id}' was not tried: the Worker's secrets can't be read back.`,
        `Set ${keyVariable} here too, or let the Worker try it with --probe.`,
      ),
    );
  }
  if (findings.length === 0) {
    const fix = 'npm start simulates them; set ANTHROPIC_API_KEY or OPENAI_API_KEY for real ones.';
    findings.push(skipped('provider_key', 'No provider has a key here.', fix));
  }
  return {
    findings,
    clocks: states.flatMap(({ clock }) => (clock === null ? [] : [clock])),
    accepted: usable.filter((_, index) => states[index]?.state === 'ok').map(({ id }) => id),
  };
}

/** What to do where a provider refuses the region. */
export const ELSEWHERE =
  'Run the gateway in a region it serves: placement.region in wrangler.toml (e.g. aws:us-east-1). The key is not at fault.';

function judge({ id, keyVariable, baseUrl }: ProviderSettings, answer: ProviderState | undefined): Finding {
  const { state, status } = answer ?? { state: 'unreachable', status: 0 };
  switch (state) {
    case 'ok':
      return ok('provider_key', `Provider '${id}' takes the key.`);
    case 'refused':
      return fault(
        'provider_key_refused',
        `Provider '${id}' refuses the key (${status}).`,
        `Make a new one in its console and set ${keyVariable || 'the key of this server'}; on a deployed Worker with \`wrangler secret put\`.`,
      );
    case 'egress_blocked':
      return fault(
        'egress_blocked',
        `Provider '${id}' refuses the region of this machine (${status}).`,
        ELSEWHERE,
      );
    case 'unreachable':
      return fault(
        'provider_unreachable',
        `Provider '${id}' does not answer at ${new URL(baseUrl).origin}.`,
        'Check its base URL, and that this machine may reach it.',
      );
    case 'failing':
      return warning(
        'provider_failing',
        `Provider '${id}' answered with status ${status}.`,
        'Look at its status page, and run this again.',
      );
  }
}
