import type * as z from 'zod';
import type { Scope } from '../../env-keys.ts';
import type { ErrorName } from './errors.ts';

/** What a caller can read of a route group. Made when first asked for: an isolate's start pays nothing for it. */
export interface RouteGroup {
  name: string;
  about: string;
  /** Named shapes of what clients send and of what they get; a shape inside another is a reference to it. */
  sent?: Record<string, z.ZodType>;
  given: Record<string, z.ZodType>;
  routes: RouteDescription[];
}

export interface RouteDescription {
  /** Method and path in OpenAPI's words: `GET /v1/models/{id}`. */
  route: string;
  operationId: string;
  summary: string;
  about?: string;
  /** Null: no key is asked for. */
  scope: Scope | null;
  parameters?: readonly Parameter[];
  body?: Content;
  /** What comes of it where all is well. */
  answer: {
    status: number;
    about: string;
    content: Content | readonly Content[];
    headers?: readonly string[];
  };
  /** Whose shape errors have: OpenAI's unless it says otherwise; `either`, where a header decides. */
  errorsOf?: 'anthropic' | 'either';
  /** Errors that a client can do something about, by their examples. */
  errors: readonly ErrorName[];
  /** Where errors of others come through, of any status: whose. */
  otherErrors?: string;
}

/** A body: JSON of a named shape, or text of another type. */
export interface Content {
  /** `application/json` unless it says otherwise. */
  type?: string;
  /** Name of a shape of the group. */
  shape?: string | readonly string[];
  /** Of a text: what it holds; with `shape`, what each of its `data:` lines is. */
  text?: string;
  examples?: Record<string, { summary?: string; value: unknown }>;
}

/** A parameter as OpenAPI writes it. */
export interface Parameter {
  name: string;
  in: 'query' | 'header' | 'path';
  description: string;
  required?: boolean;
  schema: Record<string, unknown>;
  example?: unknown;
  style?: 'form';
  explode?: boolean;
}
