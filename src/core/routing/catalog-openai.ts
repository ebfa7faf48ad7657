import type { Capabilities, CatalogModel } from './catalog-model.ts';

// Collected 2026-11-23 from OpenAI's model pages and the deprecation comments of openai (node) 7.57.0 (2026-11-13).

/** What Chat Completions takes from a model that does not reason. */
const CHAT: Capabilities = {
  vision: true,
  // File inputs guide (2026-08): PDFs on every model that sees; Chat takes their bytes and no address.
  documents: true,
  documentUrls: false,
  otherDocuments: false,
  // Only the audio models, which have no entry here.
  audio: false,
  tools: true,
  // They came with GPT-5.
  customTools: false,
  forcedToolChoice: true,
  jsonSchema: true,
  jsonObject: true,
  strictTools: true,
  sampling: 'always',
  maxTemperature: 2,
  seed: true,
  penalties: true,
  logitBias: true,
  logprobs: true,
  multipleAnswers: true,
  stop: true,
  midSystem: true,
  prefill: true,
  verbosity: false,
  efforts: [],
  defaultEffort: null,
  thinking: [],
};

/** o-series and GPT-5 over Chat: sampling other than the default, penalties, logprobs and stop are a 400. */
const REASONING_CHAT: Capabilities = {
  ...CHAT,
  sampling: 'never',
  penalties: false,
  logitBias: false,
  logprobs: false,
  stop: false,
  efforts: ['low', 'medium', 'high'],
  defaultEffort: 'medium',
};

/** From GPT-5 on: `verbosity` and custom tools. */
const GPT_5: Capabilities = {
  ...REASONING_CHAT,
  customTools: true,
  verbosity: true,
  efforts: ['minimal', 'low', 'medium', 'high'],
};

/**
 * From GPT-5.4 on, always over Responses (T66), which has no `n`, `stop`, `seed`, `logit_bias` or penalties.
 * It has logprobs at effort `none` only, and effort stays at the model's default.
 */
const RESPONSES: Capabilities = {
  ...GPT_5,
  documentUrls: true,
  // `input_file`: also Word, slides, tables, source text (file inputs guide, 2026-08).
  otherDocuments: true,
  seed: false,
  multipleAnswers: false,
};
const TO_XHIGH = ['low', 'medium', 'high', 'xhigh'];
const TO_MAX = [...TO_XHIGH, 'max'];
/** `none` is a 400 on 6-astra, 6.1-sol and 6.2-sol, so they never sample. */
const ALWAYS_REASONING: Capabilities = { ...RESPONSES, efforts: TO_MAX };
/** Sampling is taken at effort `none`. */
const MAY_REASON: Capabilities = { ...RESPONSES, sampling: 'effort_none', efforts: ['none', ...TO_MAX] };
const GPT_5_5: Capabilities = { ...MAY_REASON, efforts: ['none', ...TO_XHIGH] };
const GPT_5_4: Capabilities = { ...GPT_5_5, defaultEffort: 'none' };

function chat(
  id: string,
  capabilities: Capabilities,
  sizes: Pick<CatalogModel, 'contextWindow' | 'maxOutput'> & { maxInput?: number },
  end?: { retires: string; successor: string },
): CatalogModel {
  return { id, kind: 'openai', wire: 'openai-chat', capabilities, ...sizes, ...end };
}

/** 1,050,000 = 922,000 in + 128,000 out. */
function responses(id: string, capabilities: Capabilities, facts: Partial<CatalogModel> = {}): CatalogModel {
  return {
    id,
    kind: 'openai',
    wire: 'openai-responses',
    contextWindow: 1_050_000,
    maxInput: 922_000,
    maxOutput: 128_000,
    capabilities,
    ...facts,
  };
}

const K400 = { contextWindow: 400_000, maxInput: 272_000, maxOutput: 128_000 };
const K200 = { contextWindow: 200_000, maxOutput: 100_000 };
const GPT_4_1 = { contextWindow: 1_047_576, maxOutput: 32_768 };
const GPT_4O = { contextWindow: 128_000, maxOutput: 16_384 };
const TEXT_ONLY: Capabilities = { ...CHAT, vision: false, documents: false, jsonSchema: false };

const LUNA = 'gpt-6-luna';
const TERRA = 'gpt-6.1-terra';
const SOL = 'gpt-6.2-sol';
// Shutdown dates announced for several models at once.
const OCTOBER = '2026-10-23';
const DECEMBER = '2026-12-11';
const JANUARY = '2027-01-14';
const APRIL = '2027-04-01';

export const OPENAI_MODELS: readonly CatalogModel[] = [
  // 2026-11-17; not in the SDK yet.
  responses('gpt-6.2-sol', { ...ALWAYS_REASONING, ultrafast: true }),
  // 2026-09-29
  responses('gpt-6.1-sol', ALWAYS_REASONING),
  // 2026-10-26
  responses('gpt-6.1-terra', MAY_REASON),
  responses('gpt-6-astra', ALWAYS_REASONING),
  // 2026-09-22
  responses('gpt-6-sol', MAY_REASON),
  responses('gpt-6-luna', MAY_REASON),
  responses('gpt-5.6-sol', MAY_REASON, { aliases: ['gpt-5.6'] }),
  responses('gpt-5.6-terra', MAY_REASON),
  responses('gpt-5.6-luna', MAY_REASON),
  responses('gpt-5.5', GPT_5_5),
  responses('gpt-5.5-pro', GPT_5_5),
  responses('gpt-5.4', GPT_5_4),
  responses('gpt-5.4-pro', GPT_5_4),
  responses('gpt-5.4-mini', GPT_5_4, K400),
  responses('gpt-5.4-nano', GPT_5_4, { ...K400, retires: APRIL, successor: LUNA }),
  chat(
    'gpt-5.2',
    { ...GPT_5, sampling: 'effort_none', efforts: ['none', 'low', 'medium', 'high', 'xhigh'] },
    K400,
  ),
  chat('gpt-5.1', { ...GPT_5, sampling: 'effort_none', efforts: ['none', 'low', 'medium', 'high'] }, K400, {
    retires: APRIL,
    successor: TERRA,
  }),
  chat('gpt-5', GPT_5, K400, { retires: DECEMBER, successor: TERRA }),
  chat('gpt-5-mini', GPT_5, K400, { retires: DECEMBER, successor: LUNA }),
  chat('gpt-5-nano', GPT_5, K400, { retires: DECEMBER, successor: LUNA }),
  chat('gpt-4.1', CHAT, GPT_4_1, { retires: JANUARY, successor: TERRA }),
  chat('gpt-4.1-mini', CHAT, GPT_4_1, { retires: JANUARY, successor: LUNA }),
  chat('gpt-4o', CHAT, GPT_4O, { retires: JANUARY, successor: TERRA }),
  chat('gpt-4o-mini', CHAT, GPT_4O, { retires: JANUARY, successor: LUNA }),
  chat('o3', REASONING_CHAT, K200, { retires: DECEMBER, successor: SOL }),
  // Answer 404 today; kept so that a pinned one names its successor and old logs can be priced.
  chat(
    'gpt-4o-2024-05-13',
    { ...CHAT, documents: false, jsonSchema: false },
    { ...GPT_4O, maxOutput: 4_096 },
    gone(TERRA),
  ),
  chat('gpt-4.1-nano', CHAT, GPT_4_1, gone(LUNA)),
  chat('o4-mini', REASONING_CHAT, K200, gone(TERRA)),
  chat('o3-mini', { ...REASONING_CHAT, vision: false, documents: false }, K200, gone(TERRA)),
  chat('o1', REASONING_CHAT, K200, gone(SOL)),
  chat(
    'gpt-4-turbo',
    { ...CHAT, documents: false, jsonSchema: false },
    { ...GPT_4O, maxOutput: 4_096 },
    gone(TERRA),
  ),
  chat('gpt-4', TEXT_ONLY, { contextWindow: 8_192, maxOutput: 8_192 }, gone(TERRA)),
  chat('gpt-3.5-turbo', TEXT_ONLY, { contextWindow: 16_385, maxOutput: 4_096 }, gone(LUNA)),
];

function gone(successor: string): { retires: string; successor: string } {
  return { retires: OCTOBER, successor };
}

/**
 * A model of an OpenAI-compatible server (vLLM, Ollama, llama.cpp): it is let try everything, and the provider's
 * `capabilities` setting narrows it. 131,072 is the window most open models of 2025-26 are served with.
 */
export const ASSUMED_COMPATIBLE: CatalogModel = {
  ...chat('', { ...CHAT, audio: true }, { contextWindow: 131_072, maxOutput: 131_072 }),
  assumed: true,
};

/** A GPT newer than this file: Responses only, reasoning always on, as the newest known one. */
export const ASSUMED_GPT: CatalogModel = { ...responses('', ALWAYS_REASONING), assumed: true };

/**
 * OpenAI's own numbering, e.g. 506 for `gpt-5.6-luna` and 600 for `gpt-6-astra`; null for any other name
 * (`gpt-4o`, `gpt-oss-120b`, `o3`). What came with 5.4 (504) and 5.6 (506) came to stay.
 */
export function gptGeneration(id: string): number | null {
  const match = /^gpt-(\d{1,2})(?:\.(\d{1,2}))?(?:-|$)/.exec(id);
  return match ? Number(match[1]) * 100 + Number(match[2] ?? 0) : null;
}
