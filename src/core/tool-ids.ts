/** What a wire demands of a tool call's id. */
interface IdRule {
  pattern?: RegExp;
  /** Characters. */
  maxLength: number;
}

/** Anthropic documents the pattern only; 64 is the limit of its cloud resellers. */
export const ANTHROPIC_IDS: IdRule = { pattern: /^[a-zA-Z0-9_-]+$/, maxLength: 64 };
/** `call_id` of the Responses API (OpenAI's OpenAPI file). */
export const RESPONSES_IDS: IdRule = { maxLength: 64 };
/** `tool_calls[].id` of Chat Completions (T19). */
export const CHAT_IDS: IdRule = { maxLength: 40 };

// An id that begins with one of these is always rewritten, so a rewritten id never meets one that was not.
const ESCAPED = 'flxe_';
const HASHED = 'flxh_';

/**
 * The id as the wire takes it: itself where it conforms, else escaped (undone by {@link originalId}), else, where
 * the escaped form is too long, a 128-bit hash. It depends on the id alone, so a conversation keeps its prefix
 * from step to step and nothing has to be stored.
 */
export function wireId(id: string, rule: IdRule): string {
  if (conforms(id, rule)) return id;
  const escaped = ESCAPED + escapeId(id);
  return escaped.length <= rule.maxLength ? escaped : HASHED + digest(id);
}

/** The id that {@link wireId} escaped; any other id is returned as it is. */
export function originalId(id: string): string {
  if (!id.startsWith(ESCAPED)) return id;
  const tail = id.slice(ESCAPED.length);
  const text = tail.replace(/_(?:_|u([0-9a-f]{4})|([0-9a-f]{2}))/g, (_match, unit, byte) => {
    const hex: unknown = unit ?? byte;
    return typeof hex === 'string' ? String.fromCharCode(Number.parseInt(hex, 16)) : '_';
  });
  return escapeId(text) === tail ? text : id;
}

/** The ids of one request. */
export interface IdMap {
  /** The wire's id of the next call that carries this id. */
  call(id: string): string;
  /** The wire's id of the oldest unanswered call that carries this id. */
  result(callId: string): string;
}

/**
 * Maps the ids of a request in order. Some clients number their calls anew in every turn; Anthropic wants them
 * unique in a request, so the second and later uses of an id get names of their own.
 */
export function createIdMap(rule: IdRule): IdMap {
  const uses = new Map<string, number>();
  const open = new Map<string, string[]>();
  return {
    call(id) {
      const use = (uses.get(id) ?? 0) + 1;
      uses.set(id, use);
      const mapped = wireId(use === 1 ? id : `${id}\u0000${use}`, rule);
      const waiting = open.get(id);
      if (waiting === undefined) open.set(id, [mapped]);
      else waiting.push(mapped);
      return mapped;
    },
    result(callId) {
      return open.get(callId)?.shift() ?? wireId(callId, rule);
    },
  };
}

/** True where the wire takes the id as it is. */
export function conforms(id: string, rule: IdRule): boolean {
  if (id.length === 0 || id.length > rule.maxLength) return false;
  if (id.startsWith(ESCAPED) || id.startsWith(HASHED)) return false;
  return rule.pattern === undefined || rule.pattern.test(id);
}

function escapeId(id: string): string {
  return id.replace(/[^a-zA-Z0-9-]/g, (character) => {
    if (character === '_') return '__';
    const unit = character.charCodeAt(0);
    return unit < 0x100
      ? `_${unit.toString(16).padStart(2, '0')}`
      : `_u${unit.toString(16).padStart(4, '0')}`;
  });
}

/** cyrb128 (public domain): not for secrets, but ids that a client chose itself only ever collide with its own. */
function digest(text: string): string {
  let a = 1779033703;
  let b = 3144134277;
  let c = 1013904242;
  let d = 2773480762;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    a = b ^ Math.imul(a ^ unit, 597399067);
    b = c ^ Math.imul(b ^ unit, 2869860233);
    c = d ^ Math.imul(c ^ unit, 951274213);
    d = a ^ Math.imul(d ^ unit, 2716044179);
  }
  a = Math.imul(c ^ (a >>> 18), 597399067);
  b = Math.imul(d ^ (b >>> 22), 2869860233);
  c = Math.imul(a ^ (c >>> 17), 951274213);
  d = Math.imul(b ^ (d >>> 19), 2716044179);
  return [a ^ b ^ c ^ d, b, c, d].map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}
