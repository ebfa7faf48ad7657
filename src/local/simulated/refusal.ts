/** A request that a provider turns down, before it is put into that provider's error shape. */
export interface Refusal {
  status: number;
  /** OpenAI's `error.code`, or Anthropic's `error.type` where the status doesn't say it. */
  code?: string | null;
  /** The field at fault (OpenAI). */
  param?: string | null;
  message: string;
}
