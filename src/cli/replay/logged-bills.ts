import { costOf } from '../../core/accounting/cost.ts';
import { type PricedProvider, pricesOf } from '../../core/accounting/price-book.ts';
import { addUsage, inputTokens, type Usage, usageOf } from '../../core/accounting/usage.ts';
import { bareModel } from './log-answer.ts';
import type { LoggedBill } from './log-entry.ts';
import { count } from './tally.ts';

/** What the log's own usage comes to, at the prices of the same day. */
export interface LoggedBills {
  add(bill: LoggedBill): void;
  /** Usages with a price, and what they cost. */
  answers: number;
  usd: number;
  usage: Usage;
  /** Of figures in USD that stand in the log: how many, and their sum. */
  reported: number;
  reportedUsd: number;
  /** Answers by model that have usage and no price. */
  unpriced: Map<string, number>;
}

export function openBills(providers: ReadonlyMap<string, PricedProvider>, day: string): LoggedBills {
  const bills: LoggedBills = {
    ...{ answers: 0, usd: 0, usage: usageOf({}), reported: 0, reportedUsd: 0, unpriced: new Map() },
    add({ model, provider, usage, reported }) {
      if (reported !== null) {
        bills.reported += 1;
        bills.reportedUsd += reported;
      }
      if (usage === null) return;
      const { owner, name } = ownerOf(model, providers) ?? {
        owner: providers.get(provider) ?? { id: provider, kind: provider },
        name: bareModel(model),
      };
      const usd = costOf(usage, pricesOf(owner, name, day, inputTokens(usage)));
      if (usd === null) return count(bills.unpriced, model);
      bills.answers += 1;
      bills.usd += usd;
      bills.usage = addUsage(bills.usage, usage);
    },
  };
  return bills;
}

/** A provider of the settings that the log names too: `vllm/my-model`. */
function ownerOf(model: string, providers: ReadonlyMap<string, PricedProvider>) {
  const slash = model.indexOf('/');
  const owner = providers.get(model.slice(0, slash));
  return slash > 0 && owner ? { owner, name: model.slice(slash + 1) } : undefined;
}
