import type { Refusal } from '../refusal.ts';
import { bad, unsupportedParameter } from './errors.ts';
import type { GptModel } from './models.ts';
import type { Breakpoint } from './request-parts.ts';

/** What both APIs ask of a model, each under its own name for the field. Absent: not sent. */
export interface ModelSettings {
  model: GptModel;
  effort: { param: string; value: string | null | undefined };
  verbosity: { param: string; value: string | null | undefined };
  temperature: number | null | undefined;
  top_p: number | null | undefined;
  logprobs: boolean | null | undefined;
  top_logprobs: number | null | undefined;
  maxTokens: { param: string; value: number | null | undefined };
  cacheOptions: { ttl?: string | null | undefined } | null | undefined;
  retention: string | null | undefined;
  marks: readonly { param: string; mark: Breakpoint }[];
}

/** A rule answers with a refusal, or with nothing. */
export type ModelRule = (settings: ModelSettings) => Refusal | undefined;

export function isReasoning(model: GptModel): boolean {
  return model.efforts.length > 0;
}

// oDoc models/*: "low…max; none 400" and the like. Not a reasoning model: Chat doesn't know the field at all.
const effort: ModelRule = ({ model, effort: { param, value } }) => {
  if (value == null || model.efforts.includes(value)) return undefined;
  if (!isReasoning(model)) {
    return param === 'reasoning_effort'
      ? bad(`Unrecognized request argument supplied: ${param}`, null)
      : unsupportedParameter(param);
  }
  const supported = model.efforts.map((one) => `'${one}'`).join(', ');
  return bad(
    `Unsupported value: '${param}' does not support '${value}' with this model. Supported values are: ${supported}.`,
    param,
    'unsupported_value',
  );
};

// Sampling on gpt-5.x/6.x only with effort `none`; o-series and gpt-5: temperature ≠ 1 is a 400 (laozhang 2026-10).
const sampling: ModelRule = (settings) => {
  const { model } = settings;
  if (!isReasoning(model) || (settings.effort.value ?? model.defaultEffort) === 'none') return undefined;
  if (settings.temperature != null && settings.temperature !== 1) {
    return bad(
      `Unsupported value: 'temperature' does not support ${settings.temperature} with this model. Only the default (1) value is supported.`,
      'temperature',
      'unsupported_value',
    );
  }
  if (settings.top_p != null) return unsupportedParameter('top_p');
  if (settings.logprobs === true) return unsupportedParameter('logprobs');
  return settings.top_logprobs != null ? unsupportedParameter('top_logprobs') : undefined;
};

// GPT-5 and later.
const verbosity: ModelRule = ({ model, verbosity: { param, value } }) =>
  value != null && !model.verbosity ? unsupportedParameter(param) : undefined;

const maxTokensWithinModel: ModelRule = ({ model, maxTokens: { param, value } }) =>
  value != null && value > model.maxOutput
    ? bad(
        `${param} is too large: ${value}. This model supports at most ${model.maxOutput} completion tokens, whereas you provided ${value}.`,
        param,
        'integer_above_max_value',
      )
    : undefined;

// providers.md §1: options and breakpoints are refused before 5.6 (T55).
const cacheBreakpoints: ModelRule = ({ model, cacheOptions, marks, retention }) => {
  if (model.cache.kind === 'intervals') {
    if (cacheOptions != null) return unsupportedParameter('prompt_cache_options');
    const [first] = marks;
    return first === undefined ? undefined : unsupportedParameter(first.param);
  }
  // "rejected" by langchain4j 1.21's docs, "independent" by a comment in oSDK: the stricter one.
  return retention != null && cacheOptions?.ttl != null
    ? bad(
        "'prompt_cache_options.ttl' and 'prompt_cache_retention' cannot be set together.",
        'prompt_cache_retention',
        'invalid_value',
      )
    : undefined;
};

// gpt-5.5(-pro): `24h` only.
const retention: ModelRule = ({ model, retention: value }) =>
  value === 'in_memory' && model.id.startsWith('gpt-5.5')
    ? bad(
        "Unsupported value: 'prompt_cache_retention' does not support 'in_memory' with this model. Supported values are: '24h'.",
        'prompt_cache_retention',
        'unsupported_value',
      )
    : undefined;

const MODEL_RULES: readonly ModelRule[] = [
  effort,
  sampling,
  verbosity,
  maxTokensWithinModel,
  cacheBreakpoints,
  retention,
];

/** The first thing this model refuses. */
export function modelRefusal(settings: ModelSettings): Refusal | undefined {
  for (const rule of MODEL_RULES) {
    const refusal = rule(settings);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

/** The 404 of an unknown or retired model. */
export function modelNotFound(requested: string): Refusal {
  return {
    status: 404,
    message: `The model \`${requested}\` does not exist or you do not have access to it.`,
    param: null,
    code: 'model_not_found',
  };
}
