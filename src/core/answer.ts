import type { Usage } from './accounting/usage.ts';
import type { AssistantBlock, ForeignBlock, ThinkingBlock } from './conversation.ts';

/** Why an answer ended, in words all providers share. */
export type StopReason = 'stop' | 'length' | 'tool_calls' | 'refusal';

/** A whole answer of a model, read from any provider's wire. */
export interface Answer {
  /** The provider's id of it (`msg_…`, `resp_…`, `chatcmpl-…`). */
  id: string;
  /** The model that answered, as the provider names it in the response (T41). */
  model: string;
  blocks: AssistantBlock[];
  stop: StopReason;
  /** The stop sequence that ended it, where the provider tells. */
  stopSequence?: string;
  /** Absent if the provider reported none: cost is then estimated. */
  usage?: Usage;
  serviceTier?: string;
}

/** A streamed answer, read from any provider's wire: what one SSE frame meant, in order. */
export type AnswerEvent =
  | { type: 'start'; id: string; model: string; usage?: Usage }
  | { type: 'text'; text: string }
  | { type: 'refusal'; text: string }
  /** A whole block of the provider's own, once it has ended: for the same wire, and for who keeps it for its producer. */
  | { type: 'block'; block: ThinkingBlock | ForeignBlock }
  /**
   * A sign of life that carries nothing for a client of another wire (thinking, an item opened, a ping).
   * `thinks`: words of thinking, which a client of the same wire is shown as they come.
   */
  | { type: 'progress'; thinks?: true }
  /** `index` counts the answer's tool calls from 0, whatever blocks stood between them (T32). */
  | { type: 'tool_call'; index: number; id: string; name: string; custom?: true }
  /** Of a custom tool's call: its free text. */
  | { type: 'tool_arguments'; index: number; delta: string }
  /** May come more than once; each replaces the one before. */
  | { type: 'usage'; usage: Usage; serviceTier?: string }
  | { type: 'stop'; reason: StopReason; stopSequence?: string }
  /** The provider's own error inside a 200 (T28). `status` as it would have been over HTTP. */
  | { type: 'error'; status: number; code: string; message: string }
  /** The wire's own proper ending (`message_stop`, `response.completed`, `[DONE]`). Without it the stream was cut. */
  | { type: 'end' };
