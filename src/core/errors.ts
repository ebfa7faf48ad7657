/** What a {@link FluxError} says. `status` is an HTTP status; the other fields have OpenAI's meanings. */
export interface FluxErrorDetails {
  status: number;
  /** Machine-readable and stable, e.g. `invalid_api_key`. */
  code: string;
  /** The request field at fault, as a path: `messages[2].content`. */
  param?: string;
  /** Seconds the client should wait: becomes the `retry-after` header. */
  retryAfter?: number;
  /** A provider's own error, passed through word for word where the contract allows it. */
  provider?: {
    id: string;
    kind: 'anthropic' | 'openai';
    type: string | null;
    code: string | null;
    requestId?: string;
    /** The whole body, keys taken out: for clients of the provider's own wire, and never for a row or a log. */
    body?: Record<string, unknown>;
  };
}

/** The only error that reaches a client. Its message says what to do next and never quotes content or keys. */
export class FluxError extends Error {
  readonly status: number;
  readonly code: string;
  readonly param: string | undefined;
  readonly retryAfter: number | undefined;
  readonly provider: FluxErrorDetails['provider'];

  constructor(message: string, details: FluxErrorDetails) {
    super(message);
    this.name = 'FluxError';
    this.status = details.status;
    this.code = details.code;
    this.param = details.param;
    this.retryAfter = details.retryAfter;
    this.provider = details.provider;
  }
}

/** A 400 about one field of the request. */
export function invalidRequest(message: string, param?: string, code = 'invalid_value'): FluxError {
  return new FluxError(message, { status: 400, code, ...(param === undefined ? {} : { param }) });
}
