import type { Refusal } from '../refusal.ts';

/** Who asks. OpenAI takes the key as Bearer only. */
export function openaiCaller(headers: Record<string, string>): { key: string } | Refusal {
  const key = /^Bearer (.+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
  if (key === '') {
    return {
      status: 401,
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
      code: null,
    };
  }
  if (!key.startsWith('sk-invalid')) return { key };
  // The real one quotes the key too, its middle starred out.
  const quoted = `${key.slice(0, 8)}${'*'.repeat(Math.max(0, key.length - 12))}${key.slice(-4)}`;
  return { status: 401, message: `Incorrect API key provided: ${quoted}.`, code: 'invalid_api_key' };
}

/** Reads a body as JSON, or says how OpenAI refuses it. */
export function readJson(raw: string): { json: unknown } | Refusal {
  try {
    return { json: JSON.parse(raw) };
  } catch {
    return {
      status: 400,
      message:
        'We could not parse the JSON body of your request. (HINT: This likely means you aren’t using your HTTP library correctly.)',
    };
  }
}

/** Thinking tokens a simulated model spends at each effort: small, so that answers stay readable in tests. */
export const REASONING_TOKENS: Record<string, number> = {
  none: 0,
  minimal: 8,
  low: 16,
  medium: 32,
  high: 64,
  xhigh: 128,
  max: 256,
};
