import { infraCostOf, SESSION_USE, STEP_USE } from '../accounting/infra-cost.ts';
import type { PriceList } from '../accounting/prices.ts';

/** What routing itself costs over a log, in USD. */
export interface Measuring {
  oracle_usd: number;
  infra_usd: number;
}

/** Share of sessions that serve as a control (economics.md, "What measuring costs"). */
const CONTROLS = 0.05;
/** A judge is asked twice a step, on at most so many tokens, and answers in so many. */
const JUDGE = { asks: 2, tokens: 4_000, output: 60 } as const;

/**
 * What measuring and running a routed log takes. A control session is served by the top with the cheapest tier as its
 * shadow, both warm: it costs what the top costs more than routing, and what the cheapest costs, and the judge. All of
 * it at most `share` of the gross saving (FLUX_ORACLE_SHARE).
 *
 * @param judge prices of the model that judges
 */
export function measuringCost(
  usd: { top: number; cheapest: number; routed: number },
  steps: number,
  judge: PriceList | null,
  share: number,
): Measuring {
  const { fresh, output } = judge?.[0].prices ?? { fresh: 0, output: 0 };
  const verdict = (JUDGE.asks * (JUDGE.tokens * (fresh ?? 0) + JUDGE.output * (output ?? 0))) / 1e6;
  const saving = usd.top - usd.routed;
  const controls = CONTROLS * (saving + usd.cheapest + steps * verdict);
  return {
    oracle_usd: Math.max(0, Math.min(controls, share * saving)),
    infra_usd: steps * (infraCostOf(STEP_USE) + infraCostOf(SESSION_USE)),
  };
}
