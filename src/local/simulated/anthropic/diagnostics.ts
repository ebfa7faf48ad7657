import { digest } from '../digest.ts';
import type { AnthropicRequest } from './accepted.ts';
import type { Level, Prompt } from './prompt.ts';

/** Why a request couldn't read on from an earlier one's cache (aSDK `CacheMissReason`). */
export type CacheMissReason =
  | {
      type: 'model_changed' | 'system_changed' | 'tools_changed' | 'messages_changed';
      cache_missed_input_tokens: number;
    }
  | { type: 'previous_message_not_found' | 'unavailable' };

/** Kept at most; the oldest go first. */
const MAX_KEPT = 2_000;

interface Fingerprint {
  model: string;
  /** The chain where tools, system and messages end; '' without them. */
  ends: Record<Level, string>;
  settings: string;
}

/** Fingerprints of the requests behind an account's messages, for `diagnostics.previous_message_id`. */
export class RequestFingerprints {
  readonly #kept = new Map<string, Fingerprint>();

  /** Keeps the request a message answered. */
  keep(request: AnthropicRequest, prompt: Prompt, messageId: string): void {
    this.#kept.set(digest(request.organisation, messageId), fingerprintOf(request, prompt));
    for (const key of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(key);
    }
  }

  /** Compares a request with the one it names; null where nothing changed but what was appended, or none is named. */
  compare(request: AnthropicRequest, prompt: Prompt, tokensRead: number): CacheMissReason | null {
    const id = request.body.diagnostics?.previous_message_id;
    if (id == null) return null;
    const before = this.#kept.get(digest(request.organisation, id));
    if (before === undefined) return { type: 'previous_message_not_found' };
    const now = fingerprintOf(request, prompt);
    const cache_missed_input_tokens = prompt.tokens - tokensRead;
    if (before.model !== now.model) return { type: 'model_changed', cache_missed_input_tokens };
    if (before.ends.tools !== now.ends.tools) return { type: 'tools_changed', cache_missed_input_tokens };
    if (before.ends.system !== now.ends.system) return { type: 'system_changed', cache_missed_input_tokens };
    if (!prompt.positions.some((position) => position.chain === before.ends.messages)) {
      return { type: 'messages_changed', cache_missed_input_tokens };
    }
    return before.settings === now.settings ? null : { type: 'unavailable' };
  }

  clear(): void {
    this.#kept.clear();
  }
}

function fingerprintOf({ body, model }: AnthropicRequest, prompt: Prompt): Fingerprint {
  const end = (level: Level) =>
    prompt.positions.findLast((position) => position.level === level)?.chain ?? '';
  // Web search is a tool, though its place in the prompt is after the others', at the system's level.
  const tools = prompt.positions[(body.tools ?? []).length - 1]?.chain ?? '';
  return {
    model: `${model.id} ${body.speed ?? 'standard'}`,
    ends: { tools, system: end('system'), messages: end('messages') },
    settings: JSON.stringify([body.thinking, body.tool_choice, body.output_config?.effort]),
  };
}
