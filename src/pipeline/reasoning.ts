import type { Conversation, Reasoning } from '../core/conversation.ts';
import type { Report } from '../core/routing/adaptation.ts';
import type { CatalogModel } from '../core/routing/catalog.ts';

/** All efforts of 2026, weakest first. */
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** Anthropic's least budget of thinking. */
const LEAST_BUDGET = 1_024;

/**
 * How much the client wants the model to think, as the model can be told (T37): efforts, Anthropic's modes and its
 * budgets of tokens stand for each other, whichever of them a model knows (providers.md §2, §5).
 * @param maxTokens of the answer, thinking included
 */
export function adaptReasoning(
  { reasoning, toolChoice }: Pick<Conversation, 'reasoning' | 'toolChoice'>,
  target: CatalogModel,
  maxTokens: number | undefined,
  report: Report,
): Reasoning {
  const { mode, effort, budgetTokens } = reasoning;
  if (mode === undefined) return effortOf(adaptEffort(effort, target, report));
  const { thinking = [], quietEffort } = target.capabilities;
  const asked = effort ?? (budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens));
  // `enabled` beside a forced choice is a 400, and adaptive thinking is not.
  const room = toolChoice?.type === 'tool' || toolChoice?.type === 'required' ? 0 : maxTokens;
  if (!thinking.includes(mode)) return replaceMode(reasoning, asked, target, room, report);
  if (mode === 'enabled')
    return { ...effortOf(adaptEffort(effort, target, report)), ...keepBudget(reasoning, maxTokens, report) };
  const kept = adaptEffort(effort, target, report);
  if (!isQuiet(mode) || quietEffort === undefined || kept === undefined || rank(kept) <= rank(quietEffort))
    return { ...effortOf(kept), mode };
  report({ field: 'reasoning_effort', action: 'clamped', from: kept, to: quietEffort });
  return { mode, effort: quietEffort };
}

/**
 * What stands nearest to a mode that the model does not have.
 * @param room tokens for thinking and answer
 */
function replaceMode(
  { mode = '', effort }: Reasoning,
  asked: string | undefined,
  target: CatalogModel,
  room: number | undefined,
  report: Report,
): Reasoning {
  const { thinking = [], efforts, quietEffort } = target.capabilities;
  const told = (to: string): void => report({ field: 'thinking', action: 'translated', from: mode, to });
  if (isQuiet(mode)) {
    const quiet = thinking.find(isQuiet);
    if (quiet !== undefined) {
      told(quiet);
      const kept = adaptEffort(effort, target, report);
      const high = kept !== undefined && quietEffort !== undefined && rank(kept) > rank(quietEffort);
      return { mode: quiet, ...effortOf(high ? quietEffort : kept) };
    }
    if (effort !== undefined) {
      report({ field: 'thinking', action: 'dropped', from: mode });
      return effortOf(adaptEffort(effort, target, report));
    }
    // A model that always thinks is asked to think little, and OpenAI's not at all.
    const least = efforts.includes('none') && mode === 'disabled' ? 'none' : nearest('low', efforts);
    if (least === undefined) report({ field: 'thinking', action: 'dropped', from: mode });
    else told(least);
    return effortOf(least);
  }
  if (mode === 'adaptive' && thinking.includes('enabled')) {
    const budget = budgetOfEffort(asked ?? 'high', room);
    told(budget === null ? 'disabled' : 'enabled');
    return budget === null ? { mode: 'disabled' } : { mode: 'enabled', budgetTokens: budget };
  }
  if (thinking.includes('adaptive')) {
    told('adaptive');
    const known = asked === undefined ? undefined : nearest(asked, efforts);
    return { mode: 'adaptive', ...effortOf(known) };
  }
  // Another wire: it thinks by effort alone, and as it likes where none is named.
  if (mode === 'enabled' && effort === undefined) {
    const known = asked === undefined ? undefined : nearest(asked, efforts);
    if (known === undefined) report({ field: 'thinking', action: 'dropped', from: mode });
    else told(known);
    return effortOf(known);
  }
  if (efforts.length === 0) report({ field: 'thinking', action: 'dropped', from: mode });
  return effortOf(adaptEffort(effort, target, report));
}

/** A budget lies below the answer's limit, also where that was clamped for the model. */
function keepBudget(
  { budgetTokens = LEAST_BUDGET }: Reasoning,
  maxTokens: number | undefined,
  report: Report,
): Reasoning {
  if (maxTokens === undefined || budgetTokens < maxTokens || maxTokens <= LEAST_BUDGET)
    return { mode: 'enabled', budgetTokens };
  const to = maxTokens - 1;
  report({ field: 'thinking.budget_tokens', action: 'clamped', from: budgetTokens, to });
  return { mode: 'enabled', budgetTokens: to };
}

/** The client's effort, or the nearest the model knows: the cheaper of two that are equally near. */
function adaptEffort(effort: string | undefined, target: CatalogModel, report: Report): string | undefined {
  const { efforts } = target.capabilities;
  if (effort === undefined || efforts.includes(effort)) return effort;
  const known = nearest(effort, efforts);
  if (known === undefined) report({ field: 'reasoning_effort', action: 'dropped' });
  else report({ field: 'reasoning_effort', action: 'clamped', from: effort, to: known });
  return known;
}

function nearest(effort: string, efforts: readonly string[]): string | undefined {
  const wanted = rank(effort);
  const [first, ...rest] = EFFORTS.filter((candidate) => efforts.includes(candidate));
  if (wanted === -1 || first === undefined) return undefined;
  const distance = (candidate: string): number => Math.abs(rank(candidate) - wanted);
  return rest.reduce((best, candidate) => (distance(candidate) < distance(best) ? candidate : best), first);
}

/** Steps between the budgets that clients send by name: Claude Code's "think", "megathink", "ultrathink" are 4,000, 10,000 and 31,999. */
function effortOfBudget(tokens: number): string {
  if (tokens <= 4_096) return 'low';
  if (tokens <= 16_384) return 'medium';
  return tokens <= 32_768 ? 'high' : 'xhigh';
}

const BUDGETS: Readonly<Record<string, number>> = {
  low: 4_096,
  medium: 10_000,
  high: 16_384,
  xhigh: 32_000,
  max: 64_000,
};

/** Null where the answer's limit leaves no room to think. */
function budgetOfEffort(effort: string, maxTokens: number | undefined): number | null {
  const wanted = BUDGETS[effort] ?? LEAST_BUDGET;
  // At least half of the answer is left for words.
  const budget = maxTokens === undefined ? wanted : Math.min(wanted, Math.floor(maxTokens / 2));
  return budget < LEAST_BUDGET ? null : budget;
}

function isQuiet(mode: string): boolean {
  return mode === 'disabled' || mode === 'between_tools';
}

function rank(effort: string): number {
  return EFFORTS.indexOf(effort);
}

function effortOf(effort: string | undefined): Reasoning {
  return effort === undefined ? {} : { effort };
}
