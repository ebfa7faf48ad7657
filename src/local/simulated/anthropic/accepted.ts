import type { Account } from './account.ts';
import type { ClaudeModel, ThinkingType } from './models.ts';
import type { CountTokensBody, MessagesBody } from './request.ts';

export const API_VERSIONS = ['2023-06-01', '2026-10-21'] as const;
export type ApiVersion = (typeof API_VERSIONS)[number];

/** A request whose shape is right; the rules look at the rest. */
export interface AnthropicRequest {
  /** `max_tokens` and what follows from it are absent where tokens are only counted. */
  body: CountTokensBody & Partial<MessagesBody>;
  counting: boolean;
  model: ClaudeModel;
  version: ApiVersion;
  betas: readonly string[];
  /** Stands for organisation and workspace: each key is its own. */
  organisation: string;
  account: Account;
}

/** A rule answers with the message of a 400, or with nothing. */
export type Rule = (request: AnthropicRequest) => string | undefined;

/** The thinking mode in effect: the request's, else the model's. */
export function thinkingMode({ body, model }: AnthropicRequest): ThinkingType {
  return body.thinking?.type ?? model.defaultThinking;
}

/** The effort in effect: an explicit default is the same as none. */
export function effortInEffect({ body, model }: AnthropicRequest): string {
  return body.output_config?.effort ?? model.defaultEffort;
}

/** Whether a beta was asked for by its name without the date. */
export function hasBeta({ betas }: AnthropicRequest, name: string): boolean {
  return betas.some((beta) => beta.startsWith(name));
}
