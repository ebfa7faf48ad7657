import type { Capabilities, CatalogModel } from './catalog-model.ts';

// Collected 2026-11-23 from Anthropic's model overviews, its deprecations page and the `Model` type of
// @anthropic-ai/sdk 1.12.0 (2026-11-20). Context 1M, output 128K unless a row says otherwise.

/** What Claude takes at API version 2026-10-21, from Opus 4.8 on. */
const CURRENT: Capabilities = {
  vision: true,
  // PDF support guide: base64, URL; plain text is a source of its own.
  documents: true,
  documentUrls: true,
  otherDocuments: false,
  audio: false,
  tools: true,
  customTools: false,
  forcedToolChoice: true,
  jsonSchema: true,
  jsonObject: false,
  strictTools: true,
  // Version 2026-10-21 refuses temperature, top_p and top_k on every model (T68).
  sampling: 'never',
  maxTemperature: 1,
  seed: false,
  penalties: false,
  logitBias: false,
  logprobs: false,
  multipleAnswers: false,
  stop: true,
  midSystem: true,
  prefill: false,
  verbosity: false,
  efforts: ['low', 'medium', 'high', 'xhigh', 'max'],
  defaultEffort: 'high',
  // Thinking types and defaults: models/*/overview, 2026-08; 5.5 models 2026-10.
  thinking: ['adaptive'],
};

/** `any` and `tool` are a 400 on these, always (their what's-new pages; T67). */
const UNFORCED: Capabilities = { ...CURRENT, forcedToolChoice: false };
/** System messages inside `messages`: not on Sonnet 5, Opus 4.7 or older (mid-conversation-system-messages). */
const LEADING_SYSTEM: Capabilities = { ...CURRENT, midSystem: false };
/** Opus 4.7 and 4.8 think only if asked. */
const OFF_BY_DEFAULT = ['disabled', 'adaptive'];
/** `xhigh` came with Opus 4.7 and Sonnet 5; `enabled` is deprecated here, and a 400 later. */
const GENERATION_4_6: Capabilities = {
  ...LEADING_SYSTEM,
  efforts: ['low', 'medium', 'high', 'max'],
  thinking: ['disabled', 'adaptive', 'enabled'],
};
/** The last ones that take a prefill; effort came with Opus 4.5 only. */
const GENERATION_4_5: Capabilities = {
  ...LEADING_SYSTEM,
  prefill: true,
  efforts: [],
  defaultEffort: null,
  thinking: ['disabled', 'enabled'],
};
/** Structured outputs came with 4.5. */
const OLDER: Capabilities = { ...GENERATION_4_5, jsonSchema: false, strictTools: false };

function claude(id: string, capabilities: Capabilities, facts: Partial<CatalogModel> = {}): CatalogModel {
  return {
    id,
    kind: 'anthropic',
    wire: 'anthropic-messages',
    contextWindow: 1_000_000,
    maxOutput: 128_000,
    capabilities,
    ...facts,
  };
}

const tokenizer = 'claude-2026';
const small = { contextWindow: 200_000, maxOutput: 64_000 };

const OFFERED: readonly CatalogModel[] = [
  // 2026-11-09 (announcement of 2026-11-10); forced tool choice as on 5.1, which it follows.
  claude('claude-fable-5-2', UNFORCED, { tokenizer }),
  claude('claude-mythos-5-2', UNFORCED, { tokenizer }),
  // 2026-09
  claude('claude-fable-5-1', UNFORCED, { tokenizer }),
  claude('claude-mythos-5-1', UNFORCED, { tokenizer }),
  // Not retired before 2027-06-09. Adaptive thinking takes a forced choice.
  claude('claude-fable-5', CURRENT, { tokenizer }),
  claude('claude-mythos-5', CURRENT, { tokenizer }),
  // 2026-09-22
  claude('claude-opus-5-5', { ...UNFORCED, defaultEffort: 'medium' }, { tokenizer }),
  // Not retired before 2027-07-24, 2027-05-28, 2027-04-16, 2027-02-05, 2026-11-24.
  // Opus 5 takes `disabled` at effort high or lower.
  claude(
    'claude-opus-5',
    { ...CURRENT, thinking: ['adaptive', 'disabled'], quietEffort: 'high' },
    { tokenizer },
  ),
  claude('claude-opus-4-8', { ...CURRENT, thinking: OFF_BY_DEFAULT }, { tokenizer }),
  claude('claude-opus-4-7', { ...LEADING_SYSTEM, thinking: OFF_BY_DEFAULT }, { tokenizer }),
  claude('claude-opus-4-6', GENERATION_4_6),
  claude(
    'claude-opus-4-5',
    { ...GENERATION_4_5, efforts: ['low', 'medium', 'high'], defaultEffort: 'high' },
    small,
  ),
  // 2026-09-28; no `disabled`, and `between_tools` at effort high or lower.
  claude(
    'claude-sonnet-5-5',
    { ...UNFORCED, thinking: ['adaptive', 'between_tools'], quietEffort: 'high' },
    { tokenizer },
  ),
  // Not retired before 2027-06-30, 2027-02-17.
  claude('claude-sonnet-5', { ...LEADING_SYSTEM, thinking: ['adaptive', 'disabled'] }, { tokenizer }),
  claude('claude-sonnet-4-6', GENERATION_4_6),
  // `DEPRECATED_MODELS` of the SDK; its 1M beta ended 2026-04-30.
  claude('claude-sonnet-4-5', GENERATION_4_5, {
    ...small,
    retires: '2026-11-30',
    successor: 'claude-sonnet-5-5',
  }),
  // 2026-10-07
  claude(
    'claude-haiku-5-5',
    { ...CURRENT, defaultEffort: 'medium', thinking: ['adaptive', 'disabled'] },
    { tokenizer },
  ),
  // Not retired before 2026-10-15.
  claude('claude-haiku-4-5', GENERATION_4_5, small),
];

function retired(
  id: string,
  retires: string,
  successor: string,
  maxOutput: number,
  aliases: string[] = [],
): CatalogModel {
  return claude(id, OLDER, { contextWindow: 200_000, maxOutput, retires, successor, aliases });
}

/** Answer 404 today; kept so that a pinned one names its successor and old logs can be priced (deprecations page). */
const GONE: readonly CatalogModel[] = [
  retired('claude-opus-4-1', '2026-08-05', 'claude-opus-5-5', 32_000),
  retired('claude-opus-4', '2026-06-15', 'claude-opus-5-5', 32_000, ['claude-opus-4-0']),
  retired('claude-sonnet-4', '2026-06-15', 'claude-sonnet-5-5', 64_000, ['claude-sonnet-4-0']),
  retired('claude-3-haiku', '2026-04-20', 'claude-haiku-5-5', 4_096),
  retired('claude-3-7-sonnet', '2026-02-19', 'claude-sonnet-5-5', 64_000),
  retired('claude-3-5-haiku', '2026-02-19', 'claude-haiku-5-5', 8_192),
];

export const ANTHROPIC_MODELS: readonly CatalogModel[] = [...OFFERED, ...GONE];

/** For a Claude newer than this file: what every current one takes, without the guesses. */
export const ASSUMED_CLAUDE: CatalogModel = claude('', UNFORCED, { tokenizer, assumed: true });
