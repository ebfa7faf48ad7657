/** What `npm start` answered on 2026-11-23 after a few questions to its simulated providers. */
export const COMPLETION = {
  id: 'chatcmpl-881f0884-d174-495e-884b-be8993df7247',
  object: 'chat.completion',
  created: 1795458442,
  model: 'claude-haiku-5-5',
  choices: [
    {
      index: 0,
      message: {
        role: 'assistant',
        content:
          'This is a simulated answer of claude-haiku-5-5; no model was called. You asked: "What is the capital of France?".',
        refusal: null,
      },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 10,
    completion_tokens: 69,
    total_tokens: 79,
    prompt_tokens_details: {
      cached_tokens: 0,
      cache_write_tokens: 0,
      audio_tokens: 0,
    },
    completion_tokens_details: {
      reasoning_tokens: 32,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  },
  service_tier: 'default',
  fluxcompute: {
    request_id: '881f0884-d174-495e-884b-be8993df7247',
    difficulty_score: 0.06309378657791158,
    difficulty_label: 'easy',
    floor: 'easy',
    reason: 'floor',
    tier: 'easy',
    model_attempted: 'claude-haiku-5-5',
    cost_usd: 0.0000355,
    baseline_model: 'claude-opus-5-5',
    baseline_cost_usd: 0.00142,
    classification_ms: 2,
    overhead_ms: 34,
    estimated: ['baseline'],
    signals: {
      length: -0.12496088957778528,
      reasoning: 0.10300000000000001,
      math: 0,
      code: 0,
      lookup: -1.036,
      constraints: 0,
      loop: 0,
    },
    price_book: 'genai-prices-0.1.8+2026-11-23',
    simulated: true,
    profile_version: 0,
    basis: 'prior',
    savings_usd: 0.0013845,
    savings_pct: 97.5,
    provider: 'anthropic',
    model_selected: 'claude-haiku-5-5',
    session_id: 'support-4711',
    context_compression: 0,
    cache: {
      cache_write_tokens: 0,
      cache_read_tokens: 0,
      cache_hit: false,
    },
    escalations: [],
    adapted: [],
  },
};

/** Its words in the middle left out. */
export const STREAM = [
  'data: {"id":"chatcmpl-e3cc23b8-e436-4af6-9192-1751c5a8ec3e","object":"chat.completion.chunk","created":1795458442,"model":"claude-haiku-5-5","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}',
  'data: {"id":"chatcmpl-e3cc23b8-e436-4af6-9192-1751c5a8ec3e","object":"chat.completion.chunk","created":1795458442,"model":"claude-haiku-5-5","choices":[{"index":0,"delta":{"content":"This"},"logprobs":null,"finish_reason":null}]}',
  'data: {"id":"chatcmpl-e3cc23b8-e436-4af6-9192-1751c5a8ec3e","object":"chat.completion.chunk","created":1795458442,"model":"claude-haiku-5-5","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"fluxcompute":{"request_id":"e3cc23b8-e436-4af6-9192-1751c5a8ec3e","difficulty_score":0.06309378657791158,"difficulty_label":"easy","floor":"easy","reason":"floor","tier":"easy","model_attempted":"claude-haiku-5-5","cost_usd":0.0000355,"baseline_model":"claude-opus-5-5","baseline_cost_usd":0.00142,"classification_ms":1,"overhead_ms":11,"estimated":["baseline"],"signals":{"length":-0.12496088957778528,"reasoning":0.10300000000000001,"math":0,"code":0,"lookup":-1.036,"constraints":0,"loop":0},"price_book":"genai-prices-0.1.8+2026-11-23","simulated":true,"profile_version":0,"basis":"prior","savings_usd":0.0013845,"savings_pct":97.5,"provider":"anthropic","model_selected":"claude-haiku-5-5","session_id":"fc_e3cc23b8e436","context_compression":0,"cache":{"cache_write_tokens":0,"cache_read_tokens":0,"cache_hit":false},"escalations":[],"adapted":[]}}',
  'data: [DONE]',
  '',
].join('\n\n');
