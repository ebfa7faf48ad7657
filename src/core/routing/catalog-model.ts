import type { Tokenizer } from '../accounting/tokenizers.ts';

/** Whose API a provider speaks. An `openai` provider may be any OpenAI-compatible server. */
export type ProviderKind = 'anthropic' | 'openai';

/** A wire format a step can be sent over. */
export type Wire = 'anthropic-messages' | 'openai-responses' | 'openai-chat';

/** What a model takes, on the wire we use for it. Facts only; what to do about them is capability.ts and pipeline/prepare.ts. */
export interface Capabilities {
  vision: boolean;
  /** PDF files; text files go as text everywhere. */
  documents: boolean;
  /** PDF files by their address. */
  documentUrls: boolean;
  /** Files of other kinds (Word, tables). */
  otherDocuments: boolean;
  /** `input_audio`. */
  audio: boolean;
  tools: boolean;
  /** OpenAI's custom tools, grammars too; where false the gateway wraps free text in a function. */
  customTools: boolean;
  /** `tool_choice` required or naming a tool (T67). */
  forcedToolChoice: boolean;
  /** Native JSON-schema output; where false the gateway forces a tool that takes the answer. */
  jsonSchema: boolean;
  /** `json_object` without a schema. */
  jsonObject: boolean;
  strictTools: boolean;
  /** `temperature`, `top_p`: refused, taken, or taken only at effort `none`. */
  sampling: 'never' | 'always' | 'effort_none';
  /** Highest temperature where sampling is taken. */
  maxTemperature: number;
  seed: boolean;
  penalties: boolean;
  logitBias: boolean;
  logprobs: boolean;
  /** `n` > 1. */
  multipleAnswers: boolean;
  /** Stop sequences on the wire; where false the gateway cuts the answer itself. */
  stop: boolean;
  /** A `system` message in the middle of a conversation. */
  midSystem: boolean;
  /** A conversation whose last message is the assistant's. Absent: refused. */
  prefill?: boolean;
  /** `verbosity`. */
  verbosity: boolean;
  /** `service_tier: "ultrafast"`. Absent: refused. */
  ultrafast?: boolean;
  /** Reasoning efforts it takes, lowest first; empty: none at all. */
  efforts: readonly string[];
  /** The effort used when none is sent; null where the model does not reason. */
  defaultEffort: string | null;
  /** Anthropic's `thinking.type`s it takes, its default first; empty where the wire has none. */
  thinking: readonly string[];
  /** The highest effort that `disabled` and `between_tools` go with. Absent: any. */
  quietEffort?: string;
}

/** One model as its provider offers it today. */
export interface CatalogModel {
  id: string;
  kind: ProviderKind;
  wire: Wire;
  /** Tokens of input and output together. */
  contextWindow: number;
  /** Input limit of its own, where it is less than the window. */
  maxInput?: number;
  maxOutput: number;
  capabilities: Capabilities;
  /** How it counts text. Absent: the reference (see tokenizers.ts). */
  tokenizer?: Tokenizer;
  /** Other ids of the same model; dated snapshots need no entry. */
  aliases?: readonly string[];
  /** First UTC day on which the provider answers 404 (T71), `YYYY-MM-DD`. */
  retires?: string;
  /** What to use in its place once retired. */
  successor?: string;
  /** Not in the catalogue: defaults of its provider's kind are assumed (a local server, a model newer than this file). */
  assumed?: boolean;
}
