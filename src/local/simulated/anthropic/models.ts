import type { Tokenizer } from '../tokens.ts';

export type ThinkingType = 'adaptive' | 'enabled' | 'between_tools' | 'disabled';

/**
 * What the simulator knows of a Claude model, read from providers.md §1 and §2 on its own: deliberately not the
 * gateway's catalogue, so that the one can't agree with itself.
 */
export interface ClaudeModel {
  id: string;
  name: string;
  line: 'haiku' | 'sonnet' | 'opus' | 'fable' | 'mythos';
  aliases: readonly string[];
  contextWindow: number;
  maxOutput: number;
  tokenizer: Tokenizer;
  /** Tokens a prefix needs to be cached. */
  minimumCached: number;
  thinking: readonly ThinkingType[];
  defaultThinking: 'adaptive' | 'disabled';
  /** Empty: `output_config.effort` is a 400. */
  efforts: readonly string[];
  defaultEffort: string;
  /** Highest effort with `disabled` or `between_tools` thinking. */
  quietEffortLimit: string | undefined;
  /** `tool_choice` any or tool. */
  forcedTool: 'always' | 'unless_enabled' | 'never';
  /** `role: "system"` inside `messages`. */
  midSystem: boolean;
  prefill: boolean;
  /** `temperature`, `top_p`, `top_k` under API version 2023-06-01. */
  sampling: boolean;
  /** Thinking of finished turns stays in the context. */
  keepsThinking: boolean;
  /** Thinking text is shown unless asked otherwise. */
  showsThinking: boolean;
  /** A thinking block's prefix must be what it was. */
  prefixCheck: boolean;
  /** Thinking blocks of another organisation are dropped. */
  boundToOrganisation: boolean;
  /**
   * Thinking and effort stand in the prompt before the tools, so that a change loses all: "on models that render the
   * configuration ahead of them" (aDoc:prompt-caching), which is said of none by name. From 4.6 on the thinking page's
   * advice holds, to treat a change as starting the cache over; up to 4.5 the FAQ of 2025, that tools and system stay.
   */
  settingsFirst: boolean;
  /** Other models whose thinking blocks it reads. */
  reads: readonly string[];
  /** First UTC day it answers 404. */
  retires: string | undefined;
}

const UP_TO_MAX = ['low', 'medium', 'high', 'xhigh', 'max'];
const WITHOUT_XHIGH = ['low', 'medium', 'high', 'max'];

/** What most models since Opus 4.7 share. */
const RECENT = {
  aliases: [],
  contextWindow: 1_000_000,
  maxOutput: 128_000,
  tokenizer: 'claude-new',
  minimumCached: 512,
  thinking: ['adaptive'],
  defaultThinking: 'adaptive',
  efforts: UP_TO_MAX,
  defaultEffort: 'high',
  quietEffortLimit: undefined,
  forcedTool: 'unless_enabled',
  midSystem: true,
  prefill: false,
  sampling: false,
  keepsThinking: true,
  showsThinking: false,
  prefixCheck: false,
  boundToOrganisation: false,
  settingsFirst: true,
  reads: [],
  retires: undefined,
} as const;

/** What the 4.5 and 4.6 models share. */
const EARLIER = {
  ...RECENT,
  tokenizer: 'plain',
  thinking: ['enabled', 'disabled'],
  defaultThinking: 'disabled',
  midSystem: false,
  sampling: true,
  showsThinking: true,
} as const;

// Fable 5.1 reads Opus 5 and 5.5; Haiku 5.5's blocks can be read by others and it reads none (providers.md §3).
// "Others" isn't named there: the 5.5 and 5.1 models are assumed.
const READ_BY_FABLE = ['claude-opus-5', 'claude-opus-5-5', 'claude-haiku-5-5'];

export const CLAUDE_MODELS: readonly ClaudeModel[] = [
  ...(['fable', 'mythos'] as const).flatMap((line) => [
    {
      ...RECENT,
      id: `claude-${line}-5-2`,
      name: `Claude ${title(line)} 5.2`,
      line,
      // 5.2's own page isn't archived: taken to be as strict as 5.1.
      forcedTool: 'never' as const,
      prefixCheck: true,
      reads: READ_BY_FABLE,
    },
    {
      ...RECENT,
      id: `claude-${line}-5-1`,
      name: `Claude ${title(line)} 5.1`,
      line,
      forcedTool: 'never' as const,
      prefixCheck: true,
      reads: READ_BY_FABLE,
    },
    { ...RECENT, id: `claude-${line}-5`, name: `Claude ${title(line)} 5`, line },
  ]),
  {
    ...RECENT,
    id: 'claude-opus-5-5',
    name: 'Claude Opus 5.5',
    line: 'opus',
    defaultEffort: 'medium',
    forcedTool: 'never',
    prefixCheck: true,
    reads: ['claude-haiku-5-5'],
  },
  {
    ...RECENT,
    id: 'claude-opus-5',
    name: 'Claude Opus 5',
    line: 'opus',
    thinking: ['adaptive', 'disabled'],
    quietEffortLimit: 'high',
  },
  {
    ...RECENT,
    id: 'claude-opus-4-8',
    name: 'Claude Opus 4.8',
    line: 'opus',
    minimumCached: 1_024,
    thinking: ['adaptive', 'disabled'],
    defaultThinking: 'disabled',
  },
  {
    ...RECENT,
    id: 'claude-opus-4-7',
    name: 'Claude Opus 4.7',
    line: 'opus',
    minimumCached: 2_048,
    thinking: ['adaptive', 'disabled'],
    defaultThinking: 'disabled',
    midSystem: false,
  },
  {
    ...EARLIER,
    id: 'claude-opus-4-6',
    name: 'Claude Opus 4.6',
    line: 'opus',
    minimumCached: 4_096,
    thinking: ['adaptive', 'enabled', 'disabled'],
    efforts: WITHOUT_XHIGH,
  },
  {
    ...EARLIER,
    id: 'claude-opus-4-5',
    name: 'Claude Opus 4.5',
    line: 'opus',
    aliases: ['claude-opus-4-5-20251101'],
    contextWindow: 200_000,
    maxOutput: 64_000,
    minimumCached: 4_096,
    efforts: ['low', 'medium', 'high'],
    settingsFirst: false,
    prefill: true,
  },
  {
    ...RECENT,
    id: 'claude-sonnet-5-5',
    name: 'Claude Sonnet 5.5',
    line: 'sonnet',
    thinking: ['adaptive', 'between_tools'],
    quietEffortLimit: 'high',
    forcedTool: 'never',
    prefixCheck: true,
    boundToOrganisation: true,
    reads: ['claude-haiku-5-5'],
  },
  {
    ...RECENT,
    id: 'claude-sonnet-5',
    name: 'Claude Sonnet 5',
    line: 'sonnet',
    minimumCached: 1_024,
    thinking: ['adaptive', 'disabled'],
    midSystem: false,
  },
  {
    ...EARLIER,
    id: 'claude-sonnet-4-6',
    name: 'Claude Sonnet 4.6',
    line: 'sonnet',
    minimumCached: 1_024,
    thinking: ['adaptive', 'enabled', 'disabled'],
    efforts: WITHOUT_XHIGH,
  },
  {
    ...EARLIER,
    id: 'claude-sonnet-4-5',
    name: 'Claude Sonnet 4.5',
    line: 'sonnet',
    aliases: ['claude-sonnet-4-5-20250929'],
    contextWindow: 200_000,
    maxOutput: 64_000,
    minimumCached: 1_024,
    efforts: [],
    settingsFirst: false,
    prefill: true,
    keepsThinking: false,
    retires: '2026-11-30',
  },
  {
    ...RECENT,
    id: 'claude-haiku-5-5',
    name: 'Claude Haiku 5.5',
    line: 'haiku',
    thinking: ['adaptive', 'disabled'],
    defaultEffort: 'medium',
    prefixCheck: true,
    boundToOrganisation: true,
  },
  {
    ...EARLIER,
    id: 'claude-haiku-4-5',
    name: 'Claude Haiku 4.5',
    line: 'haiku',
    aliases: ['claude-haiku-4-5-20251001'],
    contextWindow: 200_000,
    maxOutput: 64_000,
    minimumCached: 4_096,
    efforts: [],
    settingsFirst: false,
    prefill: true,
    keepsThinking: false,
  },
];

/** The model of an id or alias, unless it has retired by `now`: then, as for an unknown one, there is none. */
export function claudeModel(id: string, now: number): ClaudeModel | undefined {
  const model = CLAUDE_MODELS.find((one) => one.id === id || one.aliases.includes(id));
  if (model?.retires !== undefined && now >= Date.parse(`${model.retires}T00:00:00Z`)) return undefined;
  return model;
}

function title(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
