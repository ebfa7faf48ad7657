/**
 * What the simulator knows of an OpenAI model, read from providers.md §1 and §2 on its own: deliberately not the
 * gateway's catalogue, so that the one can't agree with itself.
 */
export interface GptModel {
  id: string;
  aliases: readonly string[];
  /** Input and output together. */
  contextWindow: number;
  maxInput: number;
  maxOutput: number;
  /** Empty: not a reasoning model. */
  efforts: readonly string[];
  defaultEffort: string | null;
  /** o-series: system and developer messages can't be mixed. */
  oSeries: boolean;
  /** GPT-5 and later. */
  verbosity: boolean;
  /** From GPT-5.4 on: function tools in Chat Completions only with an explicit effort `none` (T66). */
  chatTools: 'always' | 'effort_none';
  /** Custom tools: GPT-5 and later. */
  customTools: boolean;
  /** Items that change effort in the middle: GPT-6 and later. */
  configurationUpdates: boolean;
  /** Chat Completions at all; `pro` models have only Responses. */
  chat: boolean;
  /** GPT-5.6 and later cache at breakpoints and charge writes; earlier ones cache every so many tokens, free. */
  cache: { kind: 'breakpoints' } | { kind: 'intervals'; tokens: number };
  /** GPT-5.6 and later read reasoning of all turns; earlier: of the current one. */
  allReasoning: boolean;
  /** First UTC day it answers 404. */
  retires: string | undefined;
}

const TO_MAX = ['low', 'medium', 'high', 'xhigh', 'max'];
const NONE_TO_MAX = ['none', ...TO_MAX];
const NONE_TO_XHIGH = ['none', 'low', 'medium', 'high', 'xhigh'];

/** GPT-5.6 and later. */
const BREAKPOINTS = {
  aliases: [],
  contextWindow: 1_050_000,
  maxInput: 922_000,
  maxOutput: 128_000,
  efforts: NONE_TO_MAX,
  defaultEffort: 'medium',
  oSeries: false,
  verbosity: true,
  customTools: true,
  configurationUpdates: true,
  chatTools: 'effort_none',
  chat: true,
  cache: { kind: 'breakpoints' },
  allReasoning: true,
  retires: undefined,
} as const satisfies Partial<GptModel>;

/** GPT-5.4 and 5.5. Cached tokens come in steps of 128, on 5.5 in steps of 2,048. */
const INTERVALS = {
  ...BREAKPOINTS,
  configurationUpdates: false,
  efforts: NONE_TO_XHIGH,
  cache: { kind: 'intervals', tokens: 128 },
  allReasoning: false,
} as const;

const GPT_5 = {
  ...INTERVALS,
  contextWindow: 400_000,
  maxInput: 272_000,
  chatTools: 'always',
} as const;

const NOT_REASONING = {
  ...GPT_5,
  efforts: [],
  defaultEffort: null,
  verbosity: false,
  customTools: false,
} as const;

const EVERY_2048 = { kind: 'intervals', tokens: 2_048 } as const;

export const GPT_MODELS: readonly GptModel[] = [
  { ...BREAKPOINTS, id: 'gpt-6.2-sol', efforts: TO_MAX },
  { ...BREAKPOINTS, id: 'gpt-6.1-sol', efforts: TO_MAX },
  { ...BREAKPOINTS, id: 'gpt-6.1-terra' },
  { ...BREAKPOINTS, id: 'gpt-6-astra', efforts: TO_MAX },
  { ...BREAKPOINTS, id: 'gpt-6-sol' },
  { ...BREAKPOINTS, id: 'gpt-6-luna' },
  { ...BREAKPOINTS, id: 'gpt-5.6-sol', aliases: ['gpt-5.6'], configurationUpdates: false },
  { ...BREAKPOINTS, id: 'gpt-5.6-terra', configurationUpdates: false },
  { ...BREAKPOINTS, id: 'gpt-5.6-luna', configurationUpdates: false },
  { ...INTERVALS, id: 'gpt-5.5', cache: EVERY_2048 },
  { ...INTERVALS, id: 'gpt-5.5-pro', cache: EVERY_2048, chat: false },
  { ...INTERVALS, id: 'gpt-5.4', defaultEffort: 'none' },
  { ...INTERVALS, id: 'gpt-5.4-mini', contextWindow: 400_000, maxInput: 272_000, defaultEffort: 'none' },
  {
    ...INTERVALS,
    id: 'gpt-5.4-nano',
    contextWindow: 400_000,
    maxInput: 272_000,
    defaultEffort: 'none',
    retires: '2027-04-01',
  },
  { ...INTERVALS, id: 'gpt-5.4-pro', defaultEffort: 'none', chat: false },
  { ...GPT_5, id: 'gpt-5.2' },
  { ...GPT_5, id: 'gpt-5.1', efforts: ['none', 'low', 'medium', 'high'], retires: '2027-04-01' },
  ...['gpt-5', 'gpt-5-mini', 'gpt-5-nano'].map((id) => ({
    ...GPT_5,
    id,
    efforts: ['minimal', 'low', 'medium', 'high'],
    retires: '2026-12-11',
  })),
  ...['gpt-4.1', 'gpt-4.1-mini'].map((id) => ({
    ...NOT_REASONING,
    id,
    contextWindow: 1_047_576,
    maxInput: 1_047_576,
    maxOutput: 32_768,
    retires: '2027-01-14',
  })),
  ...['gpt-4o', 'gpt-4o-mini'].map((id) => ({
    ...NOT_REASONING,
    id,
    contextWindow: 128_000,
    maxInput: 128_000,
    maxOutput: 16_384,
    retires: '2027-01-14',
  })),
  {
    ...GPT_5,
    id: 'o3',
    contextWindow: 200_000,
    maxInput: 200_000,
    maxOutput: 100_000,
    efforts: ['low', 'medium', 'high'],
    oSeries: true,
    verbosity: false,
    customTools: false,
    retires: '2026-12-11',
  },
];

/** Snapshots that are gone while their family still answers (oSDK comments). */
const RETIRED_SNAPSHOTS = ['gpt-4o-2024-05-13'];

/** The model of an id, an alias or a dated snapshot, unless it has retired by `now`. */
export function gptModel(id: string, now: number): GptModel | undefined {
  if (RETIRED_SNAPSHOTS.includes(id)) return undefined;
  const family = id.replace(/-20\d\d-\d\d-\d\d$/, '');
  const model = GPT_MODELS.find((one) => one.id === family || one.aliases.includes(family));
  if (model?.retires !== undefined && now >= Date.parse(`${model.retires}T00:00:00Z`)) return undefined;
  return model;
}

/** `GET /v1/models`; `others` are those of other endpoints. */
export function gptModelList(now: number, others: readonly string[]): object {
  const live = GPT_MODELS.map((model) => model.id).filter((id) => gptModel(id, now) !== undefined);
  return { object: 'list', data: [...live, ...others].map(modelObject) };
}

/** One model as `GET /v1/models/{id}` tells it. */
export function modelObject(id: string): object {
  // 2026-01-01: one date for all; providers.md has release dates for some of them only.
  return { id, object: 'model', created: 1_767_225_600, owned_by: 'openai' };
}
