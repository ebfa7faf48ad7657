/**
 * What every wire format is read into. A dialect's `read.ts` makes one, a dialect's `request.ts` sends one
 * upstream. It holds what the client said, not what a model can take: adapting it to a model is `pipeline/prepare`.
 */
export interface Conversation {
  messages: Message[];
  tools: Tool[];
  /** Absent: the wire's default (`auto` when there are tools). */
  toolChoice?: ToolChoice;
  /** `false`: at most one tool call in the answer. Absent: the provider's default (true). */
  parallelToolCalls?: boolean;
  output: OutputConstraints;
  sampling: Sampling;
  reasoning: Reasoning;
  /** Settings of the wire that carry no content: hashed ids, caching hints. */
  hints: Hints;
}

/** `tool` messages hold tool results only; several results of one assistant turn share one message. */
export type Message =
  | { role: 'system' | 'developer'; content: TextBlock[]; name?: string }
  | { role: 'user'; content: UserBlock[]; name?: string }
  | { role: 'assistant'; content: AssistantBlock[]; name?: string }
  | { role: 'tool'; content: ToolResultBlock[] };

/** What a user, or a tool's result, can show. */
export type UserBlock = TextBlock | ImageBlock | DocumentBlock | ForeignBlock;
export type AssistantBlock = TextBlock | RefusalBlock | ToolCallBlock | ThinkingBlock | ForeignBlock;
export type Block = UserBlock | AssistantBlock | ToolResultBlock;

/**
 * A cache marker the client set itself (T20: never moved, changed or dropped): Anthropic's `cache_control`
 * (`5m`, `1h`), or OpenAI's `prompt_cache_breakpoint` (30 minutes; 12 hours, which stand here as `1h`).
 */
export interface CacheMark {
  ttl?: '5m' | '1h';
  /** OpenAI's: there may be any number, of which the provider takes the latest. */
  breakpoint?: true;
}

export interface TextBlock {
  type: 'text';
  text: string;
  /** Citations of an answer as the wire had them: they point into the documents of their own provider's request. */
  citations?: readonly Record<string, unknown>[];
  cache?: CacheMark;
}

export interface ImageBlock {
  type: 'image';
  source: { kind: 'url'; url: string } | { kind: 'base64'; mediaType: string; data: string };
  /** OpenAI's resolution hint. */
  detail?: string;
  cache?: CacheMark;
}

export interface DocumentBlock {
  type: 'document';
  source:
    | { kind: 'base64'; mediaType: string; data: string }
    | { kind: 'url'; url: string }
    | { kind: 'text'; text: string };
  /** Anthropic's `title`, OpenAI's `filename`. */
  title?: string;
  /** What the client tells the model about it (Anthropic). */
  context?: string;
  /** The client wants answers to cite it (Anthropic). */
  citations?: boolean;
  cache?: CacheMark;
}

/** A document whose text can be read without opening it. */
export function isTextDocument({ source }: DocumentBlock): boolean {
  return source.kind === 'text' || (source.kind === 'base64' && source.mediaType.startsWith('text/'));
}

/**
 * What a model thought, as its provider's wire has it: signed, redacted, encrypted, perhaps without a word. It goes
 * back to its producer unmodified and in its place, or not at all; it is never converted (T16–T18).
 */
export interface ThinkingBlock {
  type: 'thinking';
  wire: ThinkingWire;
  /** The block or item exactly as it came: Anthropic's `thinking`, `redacted_thinking`; Responses' `reasoning`. */
  raw: Record<string, unknown>;
  /** Who made it, where that is known: the provider's id in the settings and the model's configured name. */
  producer?: { provider: string; name: string };
}

export type ThinkingWire = 'anthropic-messages' | 'openai-responses';

/** A block that only one wire knows (server tools and their results, compactions): it pins the step to that wire. */
export interface ForeignBlock {
  type: 'foreign';
  /** The wire's own name of it, e.g. `server_tool_use`. */
  kind: string;
  raw: Record<string, unknown>;
}

export interface RefusalBlock {
  type: 'refusal';
  text: string;
}

export interface ToolCallBlock {
  type: 'tool_call';
  id: string;
  name: string;
  /** JSON text exactly as it stood on the wire; not always valid JSON, since models make mistakes. */
  arguments: string;
  /** A call of a custom tool: `arguments` is the free text it was given. */
  custom?: true;
  cache?: CacheMark;
}

export interface ToolResultBlock {
  type: 'tool_result';
  callId: string;
  /** Empty where the tool returned nothing. */
  content: UserBlock[];
  isError?: boolean;
  cache?: CacheMark;
}

export interface Tool {
  name: string;
  description?: string;
  /** JSON Schema; absent means a tool without arguments. */
  parameters?: Record<string, unknown>;
  strict?: boolean;
  /**
   * OpenAI's custom tools take free text in place of arguments, perhaps of a grammar: `format` as Responses has it
   * (`{type: 'grammar', syntax, definition}`, flat).
   */
  custom?: { format?: Record<string, unknown> };
  cache?: CacheMark;
}

export type ToolChoice =
  | { type: 'auto' | 'none' | 'required' }
  | { type: 'tool'; name: string }
  | { type: 'allowed'; mode: 'auto' | 'required'; names: string[] };

export interface OutputConstraints {
  /** Tokens of the answer, thinking included. Absent: the client named none. */
  maxTokens?: number;
  stop: string[];
  format?:
    | { type: 'json_object' }
    | {
        type: 'json_schema';
        name: string;
        description?: string;
        schema: Record<string, unknown>;
        strict?: boolean;
      };
  /** Answers wanted; 1 unless the client asks for more. */
  n: number;
  logprobs: boolean;
  topLogprobs?: number;
  verbosity?: string;
}

/** How much the client wants the model to think. Each absent unless the client sent it. */
export interface Reasoning {
  effort?: string;
  /** Anthropic's `thinking.type`: `adaptive`, `enabled`, `disabled`, `between_tools`. */
  mode?: string;
  /** Anthropic's `budget_tokens`: tokens of thinking, inside `maxTokens`. */
  budgetTokens?: number;
}

/** Each absent unless the client sent it. */
export interface Sampling {
  temperature?: number;
  topP?: number;
  topK?: number;
  seed?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  logitBias?: Record<string, number>;
}

/** Passed on only where the routed provider knows them. */
export interface Hints {
  promptCacheKey?: string;
  /** OpenAI's `prompt_cache_options`: where prefixes are written, and for how long (GPT-5.6 and later). */
  promptCacheOptions?: { mode?: 'implicit' | 'explicit'; ttl?: '30m' | '12h' };
  /** The gateway's own marker for the request's end (Anthropic's automatic one); absent where the client set markers. */
  cacheTail?: CacheMark;
  serviceTier?: string;
  safetyIdentifier?: string;
  user?: string;
}
