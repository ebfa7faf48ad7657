import { isObject, textAt } from '../provider-json.ts';

/** Of a session id in a body only what looks like one counts: Claude Code's are UUIDs. */
const SESSION = /^[A-Za-z0-9-]{8,64}$/;
/** `user_<hash>_account_<uuid>_session_<uuid>`, before Claude Code 2.1.78. */
const JOINED = /^(.+)_session_([0-9a-fA-F-]{36})$/;

/** What `metadata.user_id` says: who the end user is, and with Claude Code also which session it is. */
export function readUserId(text: string): { user: string; session?: string } {
  const [, who, session] = JOINED.exec(text.slice(0, 512)) ?? [];
  if (who !== undefined && session !== undefined) return { user: who, session };
  const parts = text.startsWith('{') ? parse(text) : null;
  if (parts === null) return { user: text };
  const named = textAt(parts, 'session_id');
  const user = textAt(parts, 'account_uuid') || textAt(parts, 'device_id') || text;
  return named !== undefined && SESSION.test(named) ? { user, session: named } : { user };
}

/** The JSON object that Claude Code sends since 2.1.78. */
function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}
