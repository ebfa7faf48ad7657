import type { Conversation, Reasoning } from '../core/conversation.ts';
import { isThinking } from '../core/dialects/thinking.ts';
import type { Report } from '../core/routing/adaptation.ts';
import type { Capabilities, CatalogModel } from '../core/routing/catalog.ts';

/** All efforts of 2026, weakest first. */
const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/**
 * Tokens of thinking an effort stands for, where one has to become the other: our own table, within what the models
 * that still take a budget (4.5, 4.6) allow.
 */
const BUDGETS: Readonly<Record<string, number>> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 32_768,
  max: 49_152,
};
/** Anthropic refuses a smaller budget, and one that is not below `max_tokens`. */
const LEAST_BUDGET = 1_024;

/** How much the model is asked to think, in its own words (T37). Each change is reported. */
export function adaptReasoning(conversation: Conversation, target: CatalogModel, report: Report): Reasoning {
  const { reasoning } = conversation;
  if (reasoning.effort === undefined && reasoning.mode === undefined) return reasoning;
  return target.capabilities.thinking.length > 0
    ? asThinking(conversation, target, report)
    : asEffort(reasoning, target.capabilities, report);
}

/** Tokens of thinking that the request asks for: room that `max_tokens` needs besides the answer (T36). */
export function thinkingRoom(
  { effort, mode, budgetTokens }: Reasoning,
  { capabilities }: CatalogModel,
): number {
  if (budgetTokens !== undefined) return budgetTokens;
  if (mode === 'disabled' || (mode === undefined && effort === undefined)) return 0;
  return BUDGETS[effort ?? capabilities.defaultEffort ?? 'none'] ?? 0;
}

/** OpenAI: effort alone. */
function asEffort({ effort, mode, budgetTokens }: Reasoning, can: Capabilities, report: Report): Reasoning {
  if (mode === undefined) return withEffort(nearest(effort, can.efforts, report));
  const wanted = effort ?? effortOf(mode, budgetTokens, can);
  // What comes of it is told under the client's own word for it.
  const to = nearest(wanted, can.efforts, () => {}) ?? can.defaultEffort ?? undefined;
  if (to !== undefined) report({ field: 'thinking', action: 'translated', from: mode, to });
  else if (mode !== 'disabled') report({ field: 'thinking', action: 'dropped', from: mode });
  return withEffort(wanted === undefined ? undefined : to);
}

function effortOf(mode: string, budget: number | undefined, can: Capabilities): string | undefined {
  if (mode === 'disabled') return 'none';
  if (mode === 'between_tools') return 'low';
  if (mode === 'enabled' && budget !== undefined) return effortOfBudget(budget);
  return can.defaultEffort === 'none' ? 'medium' : undefined;
}

function effortOfBudget(budget: number): string {
  return EFFORTS.find((effort) => (BUDGETS[effort] ?? 0) >= budget) ?? 'max';
}

function withEffort(effort: string | undefined): Reasoning {
  return effort === undefined ? {} : { effort };
}

/** Anthropic: a type of thinking, a budget where the type has one, and effort. */
function asThinking(conversation: Conversation, target: CatalogModel, report: Report): Reasoning {
  const { reasoning } = conversation;
  const { capabilities } = target;
  const typed =
    reasoning.mode === undefined ? fromEffort(reasoning, conversation, capabilities, report) : reasoning;
  const { mode, ...rest } = chooseMode(typed, capabilities, report);
  const allowed =
    mode === 'enabled' ? enabledOr(mode, rest, conversation, target, report) : { mode, ...rest };
  const quiet = quieted(allowed, capabilities, report);
  if (FIELDS.every((field) => quiet[field] === reasoning[field])) return reasoning;
  const { effort, mode: type, budgetTokens } = quiet;
  return {
    ...withEffort(effort),
    ...(type === undefined ? {} : { mode: type }),
    ...(budgetTokens === undefined ? {} : { budgetTokens }),
  };
}

const FIELDS = ['effort', 'mode', 'budgetTokens'] as const;

/** {@link Reasoning} while it is worked out. */
type Draft = { [field in keyof Reasoning]: Reasoning[field] | undefined };

/** An effort of OpenAI's: `none` is no thinking where the model can do without. */
function fromEffort(
  { effort }: Draft,
  { tools, messages }: Conversation,
  { thinking, efforts }: Capabilities,
  report: Report,
): Draft {
  if (effort === 'none') {
    const mode = ['disabled', 'between_tools'].find((quiet) => thinking.includes(quiet));
    if (mode === undefined) return withEffort(nearest(effort, efforts, report));
    report({ field: 'reasoning_effort', action: 'translated', from: effort, to: mode });
    return { mode };
  }
  if (efforts.length > 0 || effort === undefined) return withEffort(nearest(effort, efforts, report));
  // A budget in place of effort. Clients that speak of effort can't bring thinking back into a tool loop, and with
  // it on in some steps only the cache would start anew at each change.
  const loops = tools.length > 0 || messages.some(({ role }) => role === 'tool');
  const budgetTokens = BUDGETS[effort];
  if (loops || budgetTokens === undefined || !thinking.includes('enabled')) {
    report({ field: 'reasoning_effort', action: 'dropped' });
    return {};
  }
  report({ field: 'reasoning_effort', action: 'translated', from: effort, to: 'enabled' });
  return { mode: 'enabled', budgetTokens };
}

/** The type of thinking the client asked for, or the nearest the model has (providers.md §2). */
function chooseMode(reasoning: Draft, { thinking, efforts }: Capabilities, report: Report): Draft {
  const { mode, effort, budgetTokens } = reasoning;
  if (mode === undefined || thinking.includes(mode)) {
    return { ...reasoning, effort: nearest(effort, efforts, report) };
  }
  const settled = (to: string, more: Draft = {}): Draft => {
    report({ field: 'thinking', action: 'translated', from: mode, to });
    return { mode: to, effort: nearest(effort, efforts, report), ...more };
  };
  if (mode === 'disabled') {
    if (thinking.includes('between_tools')) return settled('between_tools');
    // It always thinks: as little as it can.
    return settled('adaptive', { effort: efforts[0] });
  }
  if (thinking.includes('adaptive')) {
    const ofBudget = budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens);
    const wanted = effort ?? (mode === 'between_tools' ? 'low' : ofBudget);
    return settled('adaptive', { effort: nearest(wanted, efforts, () => {}) });
  }
  if (mode === 'adaptive' && thinking.includes('enabled')) {
    return settled('enabled', { budgetTokens: BUDGETS[effort ?? 'high'] ?? LEAST_BUDGET });
  }
  report({ field: 'thinking', action: 'dropped', from: mode });
  return { effort: nearest(effort, efforts, report) };
}

/**
 * `enabled` needs a budget below `max_tokens`, takes no forced tool choice, and wants the turn of an open tool loop
 * to begin with what was thought (T67, T17): where one of these fails the model thinks by itself, or not at all.
 */
function enabledOr(
  mode: string,
  { effort, budgetTokens = LEAST_BUDGET }: Draft,
  { output, toolChoice, messages }: Conversation,
  { capabilities, maxOutput }: CatalogModel,
  report: Report,
): Draft {
  const limit = Math.min(output.maxTokens ?? maxOutput, maxOutput);
  // Half of it at most: the rest is for the answer.
  const budget = budgetTokens < limit ? budgetTokens : Math.floor(limit / 2);
  const forced =
    toolChoice?.type === 'required' ||
    toolChoice?.type === 'tool' ||
    (toolChoice?.type === 'allowed' && toolChoice.mode === 'required');
  if (budget >= LEAST_BUDGET && !forced && !isLoopWithoutThinking(messages)) {
    if (budget !== budgetTokens)
      report({ field: 'thinking.budget_tokens', action: 'clamped', from: budgetTokens, to: budget });
    return { mode, effort, budgetTokens: budget };
  }
  const to = capabilities.thinking.includes('adaptive') ? 'adaptive' : 'disabled';
  report({ field: 'thinking', action: to === 'adaptive' ? 'translated' : 'dropped', from: mode, to });
  return { mode: to, effort };
}

function isLoopWithoutThinking(messages: Conversation['messages']): boolean {
  if (messages.at(-1)?.role !== 'tool') return false;
  const turn = messages.findLast(({ role }) => role === 'assistant');
  return turn?.role === 'assistant' && !turn.content.some(isThinking);
}

/** Without thinking, or with it between tools only, some models take no higher effort than this. */
function quieted(reasoning: Draft, { quietEffort }: Capabilities, report: Report): Draft {
  const { mode, effort } = reasoning;
  if (quietEffort === undefined || effort === undefined) return reasoning;
  if (mode !== 'disabled' && mode !== 'between_tools') return reasoning;
  if (EFFORTS.indexOf(effort) <= EFFORTS.indexOf(quietEffort)) return reasoning;
  report({ field: 'reasoning_effort', action: 'clamped', from: effort, to: quietEffort });
  return { ...reasoning, effort: quietEffort };
}

/** The client's effort, or the nearest the model knows: the cheaper of two that are equally near. */
function nearest(effort: string | undefined, known: readonly string[], report: Report): string | undefined {
  if (effort === undefined || known.includes(effort)) return effort;
  const wanted = EFFORTS.indexOf(effort);
  const distance = (candidate: string): number => Math.abs(EFFORTS.indexOf(candidate) - wanted);
  const [first, ...rest] = EFFORTS.filter((candidate) => known.includes(candidate));
  if (wanted === -1 || first === undefined) {
    report({ field: 'reasoning_effort', action: 'dropped' });
    return undefined;
  }
  const to = rest.reduce(
    (best, candidate) => (distance(candidate) < distance(best) ? candidate : best),
    first,
  );
  report({ field: 'reasoning_effort', action: 'clamped', from: effort, to });
  return to;
}
