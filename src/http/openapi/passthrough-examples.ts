/** What the gateway answered on 2026-11-27 after a question to each of its simulated endpoints; most words of the transcript's stream are left out. */
export const EMBEDDINGS = {
  object: 'list',
  data: [
    {
      object: 'embedding',
      index: 0,
      embedding: [0.8164748549461365, 0.27215829491615295, 0.3459639251232147, 0.3736410439014435],
    },
  ],
  model: 'text-embedding-3-small',
  usage: { prompt_tokens: 8, total_tokens: 8 },
  fluxcompute: metadata('ff8c2048-40df-4c64-9ca7-bb8cab4dcb84', 'text-embedding-3-small', 1.6e-7, 58),
};

export const MODERATIONS = {
  id: 'modr-simulated',
  model: 'omni-moderation-2024-09-26',
  results: [
    {
      flagged: false,
      categories: {
        harassment: false,
        'harassment/threatening': false,
        hate: false,
        'hate/threatening': false,
        illicit: false,
        'illicit/violent': false,
        'self-harm': false,
        'self-harm/instructions': false,
        'self-harm/intent': false,
        sexual: false,
        'sexual/minors': false,
        violence: false,
        'violence/graphic': false,
      },
      category_scores: {
        harassment: 0.00001,
        'harassment/threatening': 0.00001,
        hate: 0.00001,
        'hate/threatening': 0.00001,
        illicit: 0.00001,
        'illicit/violent': 0.00001,
        'self-harm': 0.00001,
        'self-harm/instructions': 0.00001,
        'self-harm/intent': 0.00001,
        sexual: 0.00001,
        'sexual/minors': 0.00001,
        violence: 0.00001,
        'violence/graphic': 0.00001,
      },
      category_applied_input_types: {
        harassment: ['text'],
        'harassment/threatening': ['text'],
        hate: ['text'],
        'hate/threatening': ['text'],
        illicit: ['text'],
        'illicit/violent': ['text'],
        'self-harm': ['text'],
        'self-harm/instructions': ['text'],
        'self-harm/intent': ['text'],
        sexual: ['text'],
        'sexual/minors': ['text'],
        violence: ['text'],
        'violence/graphic': ['text'],
      },
    },
  ],
  fluxcompute: metadata('4db9f7e7-3333-4a23-b138-63f1d010c4d8', 'omni-moderation-2024-09-26', 0, 1),
};

export const IMAGES = {
  created: 1795759980,
  data: [
    {
      b64_json:
        'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mOor6//DwAFgQKAcNFGYgAAAABJRU5ErkJggg==',
    },
  ],
  background: 'opaque',
  output_format: 'png',
  quality: 'medium',
  size: '1024x1024',
  usage: {
    input_tokens: 2,
    input_tokens_details: { image_tokens: 0, text_tokens: 2 },
    output_tokens: 1056,
    total_tokens: 1058,
  },
  fluxcompute: metadata('e75ff99f-8690-4379-a22c-47f7309453b7', 'gpt-image-1', 0.04225, 19),
};

export const IMAGE_EVENTS = `event: image_generation.partial_image
data: {"type":"image_generation.partial_image","background":"opaque","output_format":"png","quality":"medium","size":"1024x1024","created_at":1795759980,"b64_json":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mOor6//DwAFgQKAcNFGYgAAAABJRU5ErkJggg==","partial_image_index":0}

event: image_generation.completed
data: {"type":"image_generation.completed","background":"opaque","output_format":"png","quality":"medium","size":"1024x1024","created_at":1795759980,"b64_json":"iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mOor6//DwAFgQKAcNFGYgAAAABJRU5ErkJggg==","usage":{"input_tokens":2,"input_tokens_details":{"image_tokens":0,"text_tokens":2},"output_tokens":1056,"total_tokens":1058}}

`;

export const SPEECH_EVENTS = `data: {"type":"speech.audio.delta","audio":"c2ltdWxhdGVkIHNvdW5kIHNpbXVsYXRlZCBzb3VuZCBzaW11bGF0ZWQgc291bmQgc2ltdWxhdGVkIHNvdW5kIHNpbXVsYXRlZCBzb3VuZCBzaW11bGF0ZWQgc291bmQgc2ltdWxhdGVkIHNvdW5kIHNpbXVsYXRlZCBzb3VuZCBzaW11bGF0ZWQgc291bmQgc2ltdWxhdGVkIHNvdW5kIHNpbXVsYXRlZCBzb3VuZCBzaW11bGF0ZWQgc291bmQgc2ltdWxhdGU="}

data: {"type":"speech.audio.done","usage":{"input_tokens":1,"output_tokens":2,"total_tokens":3}}

`;

export const TRANSCRIPT = {
  text: 'This is a simulated transcript of call.mp3 (32000 bytes); no model was called.',
  usage: { type: 'duration', seconds: 2 },
  fluxcompute: metadata('f17e8060-fdee-450c-8d4f-1e16dbabcbb3', 'whisper-1', 0.0002, 1),
};

export const TRANSCRIPT_EVENTS = `event: transcript.text.delta
data: {"type":"transcript.text.delta","delta":"This"}

event: transcript.text.delta
data: {"type":"transcript.text.delta","delta":" is"}

event: transcript.text.done
data: {"type":"transcript.text.done","text":"This is a simulated transcript of call.mp3 (32000 bytes); no model was called.","usage":{"type":"tokens","input_tokens":20,"input_token_details":{"audio_tokens":20,"text_tokens":0},"output_tokens":20,"total_tokens":40}}

`;

export const COMPLETION = {
  id: 'cmpl-sima718a760d692cb4483e3eb57',
  object: 'text_completion',
  created: 1795759980,
  model: 'gpt-3.5-turbo-instruct',
  choices: [
    {
      text: ' (a simulated completion of gpt-3.5-turbo-instruct; no model was',
      index: 0,
      logprobs: null,
      finish_reason: 'length',
    },
  ],
  usage: { prompt_tokens: 3, completion_tokens: 16, total_tokens: 19 },
  fluxcompute: metadata('2d69f3d3-f73d-4b37-9015-35db26688e05', 'gpt-3.5-turbo-instruct', 0.0000365, 0),
};

export const COMPLETION_STREAM = `data: {"id":"cmpl-sim0a6401021849e0331ebf22bf","object":"text_completion","created":1795759980,"model":"gpt-3.5-turbo-instruct","choices":[{"text":" (a","index":0,"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"cmpl-sim0a6401021849e0331ebf22bf","object":"text_completion","created":1795759980,"model":"gpt-3.5-turbo-instruct","choices":[{"text":" simu","index":0,"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"cmpl-sim0a6401021849e0331ebf22bf","object":"text_completion","created":1795759980,"model":"gpt-3.5-turbo-instruct","choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"length"}],"usage":null,"fluxcompute":{"request_id":"776d70a7-f6c6-4430-a5e5-1797353206cb","reason":"pinned","tier":null,"cost_usd":0.0000085,"baseline_model":null,"baseline_cost_usd":null,"overhead_ms":0,"price_book":"genai-prices-0.1.8+2026-11-23","simulated":true,"passthrough":true,"provider":"openai","model_selected":"gpt-3.5-turbo-instruct","savings_usd":null,"savings_pct":null,"session_id":"fc_776d70a7f6c6"}}

data: [DONE]

`;

/** What every answer that passes through says besides, of a simulated provider. */
function metadata(requestId: string, model: string, costUsd: number, overheadMs: number) {
  return {
    request_id: requestId,
    reason: 'pinned',
    tier: null,
    cost_usd: costUsd,
    baseline_model: null,
    baseline_cost_usd: null,
    overhead_ms: overheadMs,
    price_book: 'genai-prices-0.1.8+2026-11-23',
    simulated: true,
    passthrough: true,
    provider: 'openai',
    model_selected: model,
    savings_usd: null,
    savings_pct: null,
    session_id: `fc_${requestId.replaceAll('-', '').slice(0, 12)}`,
  };
}
