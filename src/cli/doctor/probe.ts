import { CommandError } from '../command-error.ts';
import type { Gateway } from '../gateway-client.ts';
import { describeStep, type RoutedStep, sendRoutedStep } from '../routed-step.ts';
import { type Finding, fault, ok } from './finding.ts';
import { ELSEWHERE } from './providers.ts';

/**
 * One step through the gateway: the only way to see what providers say to *it*, where it runs.
 *
 * @param accepted providers that take this machine's key
 */
export async function checkStep(gateway: Gateway, accepted: readonly string[]): Promise<Finding> {
  let step: RoutedStep;
  try {
    step = await sendRoutedStep(gateway);
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return fault('step_failed', `No step was sent: ${error.message}`, 'Then run it again.');
  }
  if (step.ok) return ok('step', describeStep(step));
  const { code, message } = step;
  const provider = /[Pp]rovider '([^']+)'/.exec(message)?.[1];
  if (code === 'egress_blocked') return fault(code, message, ELSEWHERE);
  if (code === 'provider_auth' && provider !== undefined && accepted.includes(provider)) {
    return fault(
      'provider_key_refused',
      `Provider '${provider}' takes the key of this machine and refuses the gateway's.`,
      'Set the key again where the gateway runs. If it is the same one, the provider refuses the region: see placement.',
    );
  }
  if (code === 'provider_auth') {
    return fault('provider_key_refused', message, 'Set the key again where the gateway runs.');
  }
  const own = code === 'invalid_api_key' || code === 'missing_scope';
  const fix = own
    ? 'Give a key of this gateway with the scope infer: --key or FLUX_KEY.'
    : 'Mend that, and run it again.';
  return fault('step_failed', `A routed step failed: ${message}`, fix);
}
