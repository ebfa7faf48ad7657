import { z } from 'zod';
import { freshId } from '../digest.ts';
import { seal, unseal } from '../sealed.ts';
import type { InputItem } from './responses-request.ts';

const encrypted = z.object({ organisation: z.string(), tokens: z.number() });
export type Reasoning = Extract<InputItem, { type: 'reasoning' }>;

/** A reasoning item as an answer has it: no summary unless asked, encrypted content only where it was included. */
export function reasoningItem(
  organisation: string,
  tokens: number,
  wants: { summary: string | undefined; encrypted: boolean },
): Reasoning {
  return {
    type: 'reasoning',
    id: freshId('rs_sim'),
    summary: wants.summary === undefined ? [] : [{ type: 'summary_text', text: wants.summary }],
    // The id alone can't tell a later request how much was thought; a real server looks it up.
    ...(wants.encrypted ? { encrypted_content: seal({ organisation, tokens }) } : {}),
  };
}

/** Whether encrypted content is one of ours, unchanged, and of this organisation (T18). */
export function isVerified(content: string, organisation: string): boolean {
  const read = encrypted.safeParse(unseal(content));
  return read.success && read.data.organisation === organisation;
}

/** Tokens a reasoning item costs when it is read again. */
export function reasoningTokens(item: Reasoning): number {
  const read = encrypted.safeParse(
    item.encrypted_content == null ? undefined : unseal(item.encrypted_content),
  );
  return read.success ? read.data.tokens : 32;
}
