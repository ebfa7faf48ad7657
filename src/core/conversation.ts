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
  reasoning: { effort?: string };
  /** Settings of the wire that carry no content: hashed ids, caching hints. */
  hints: Hints;
}

/** `tool` messages hold tool results only; several results of one assistant turn share one message. */
export type Message =
  | { role: 'system' | 'developer'; content: TextBlock[]; name?: string }
  | { role: 'user'; content: (TextBlock | ImageBlock)[]; name?: string }
  | { role: 'assistant'; content: AssistantBlock[]; name?: string }
  | { role: 'tool'; content: ToolResultBlock[] };

export type AssistantBlock = TextBlock | RefusalBlock | ToolCallBlock;
export type Block = TextBlock | ImageBlock | RefusalBlock | ToolCallBlock | ToolResultBlock;

/** A cache marker the client set itself (T20: never moved, changed or dropped). */
export interface CacheMark {
  ttl?: '5m' | '1h';
}

export interface TextBlock {
  type: 'text';
  text: string;
  cache?: CacheMark;
}

export interface ImageBlock {
  type: 'image';
  source: { kind: 'url'; url: string } | { kind: 'base64'; mediaType: string; data: string };
  /** OpenAI's resolution hint. */
  detail?: string;
  cache?: CacheMark;
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
  cache?: CacheMark;
}

export interface ToolResultBlock {
  type: 'tool_result';
  callId: string;
  /** Empty where the tool returned nothing. */
  content: (TextBlock | ImageBlock)[];
  isError?: boolean;
  cache?: CacheMark;
}

export interface Tool {
  name: string;
  description?: string;
  /** JSON Schema; absent means a tool without arguments. */
  parameters?: Record<string, unknown>;
  strict?: boolean;
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

/** Each absent unless the client sent it. */
export interface Sampling {
  temperature?: number;
  topP?: number;
  seed?: number;
  presencePenalty?: number;
  frequencyPenalty?: number;
  logitBias?: Record<string, number>;
}

/** Passed on only where the routed provider knows them. */
export interface Hints {
  promptCacheKey?: string;
  serviceTier?: string;
  safetyIdentifier?: string;
  user?: string;
}
