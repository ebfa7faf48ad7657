import * as z from 'zod';
import { callGateway, errorIn, type Gateway } from './gateway-client.ts';

/** What became of one routed step. */
export type RoutedStep =
  | { ok: true; model: string; cost_usd: number | null; simulated: boolean }
  | { ok: false; code: string; message: string };

/** The part of an answer we look at. */
const answer = z.object({
  fluxcompute: z.object({
    model_selected: z.string(),
    cost_usd: z.number().nullable(),
    simulated: z.boolean(),
  }),
});

/** Sends one small `auto` step through the gateway. A real provider charges for it: a small fraction of a cent. */
export async function sendRoutedStep(gateway: Gateway): Promise<RoutedStep> {
  const reply = await callGateway(gateway, 'POST', '/v1/chat/completions', {
    model: 'auto',
    messages: [{ role: 'user', content: 'What is the capital of France?' }],
    max_tokens: 32,
  });
  const error = errorIn(reply);
  if (error) return { ok: false, ...error };
  const parsed = answer.safeParse(reply.body);
  if (!parsed.success) {
    return {
      ok: false,
      code: 'no_metadata',
      message: 'The answer has no `fluxcompute`: something else answers there.',
    };
  }
  const { model_selected, cost_usd, simulated } = parsed.data.fluxcompute;
  return { ok: true, model: model_selected, cost_usd, simulated };
}

/** In words. */
export function describeStep(step: RoutedStep): string {
  if (!step.ok) return `The step failed: ${step.message}`;
  const cost =
    step.cost_usd === null
      ? 'at a price we do not know'
      : `for $${step.cost_usd.toFixed(8).replace(/0+$/, '')}`;
  return `One routed step: ${step.model} answered${step.simulated ? ' (simulated)' : ''} ${cost}.`;
}
