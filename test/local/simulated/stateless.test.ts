import OpenAI, { toFile } from 'openai';
import { describe, expect, test } from 'vitest';
import { answerOf, eventsOf, simulated } from './running.ts';

const sim = simulated();
const sound = () => toFile(Buffer.alloc(32_000, 1), 'call.mp3', { type: 'audio/mpeg' });

describe('the OpenAI SDK on endpoints that keep nothing', () => {
  test('embeddings: the same unit vector for the same text, as floats and as base64', async () => {
    const model = 'text-embedding-3-small';
    // The SDK asks for base64 unless told otherwise, and decodes it.
    const both = await sim.openai.embeddings.create({ model, input: ['Hello there', 'Hello there', 'Bye'] });
    const [one, same, other] = both.data.map((item) => item.embedding);
    expect(one).toHaveLength(1_536);
    expect(same).toEqual(one);
    expect(other).not.toEqual(one);
    expect(Math.hypot(...(one ?? []))).toBeCloseTo(1, 5);
    expect(both.usage).toEqual({ prompt_tokens: 7, total_tokens: 7 });
    const floats = await sim.openai.embeddings.create({
      model,
      input: 'Hello there',
      encoding_format: 'float',
    });
    expect(floats.data[0]?.embedding[0]).toBeCloseTo(one?.[0] ?? 0, 6);
    const short = await sim.openai.embeddings.create({ model, input: [[1, 2, 3]], dimensions: 8 });
    expect(short.data[0]?.embedding).toHaveLength(8);
    expect(short.usage.prompt_tokens).toBe(3);
  });

  test('moderations: a category applies where its name stands in the text', async () => {
    const { results } = await sim.openai.moderations.create({ input: ['Peace', 'Graphic violence'] });
    expect(results.map((one) => one.flagged)).toEqual([false, true]);
    expect(results[1]?.categories).toMatchObject({ violence: true, hate: false });
    const parts = await sim.openai.moderations.create({
      model: 'omni-moderation-latest',
      input: [
        { type: 'text', text: 'Look' },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      ],
    });
    expect(parts.results).toHaveLength(1);
    expect(parts.results[0]?.category_applied_input_types.violence).toEqual(['text', 'image']);
  });

  test('images, whole and streamed', async () => {
    const images = await sim.openai.images.generate({ model: 'gpt-image-2', prompt: 'A house', n: 2 });
    expect(
      images.data?.map((one) =>
        Buffer.from(one.b64_json ?? '', 'base64')
          .subarray(1, 4)
          .toString(),
      ),
    ).toEqual(['PNG', 'PNG']);
    expect(images.usage).toMatchObject({ input_tokens: 2, output_tokens: 2_112 });
    const types: string[] = [];
    const stream = await sim.openai.images.generate({
      model: 'gpt-image-2',
      prompt: 'A house',
      stream: true,
      partial_images: 1,
    });
    for await (const event of stream) types.push(event.type);
    expect(types).toEqual(['image_generation.partial_image', 'image_generation.completed']);
  });

  test('speech, as bytes and as events', async () => {
    const params = { model: 'gpt-4o-mini-tts', input: 'Hello', voice: 'coral' as const };
    const speech = await sim.openai.audio.speech.create(params);
    expect(speech.headers.get('content-type')).toBe('audio/mpeg');
    expect(Buffer.from(await speech.arrayBuffer()).toString()).toMatch(/^simulated sound /);
    const events = await eventsOf(await sim.post('/v1/audio/speech', { ...params, stream_format: 'sse' }));
    expect(events.map(([, data]) => (data as { type: string }).type)).toEqual([
      'speech.audio.delta',
      'speech.audio.done',
    ]);
  });

  test('transcriptions in every form, translations, and what the journal keeps of a form', async () => {
    const json = await sim.openai.audio.transcriptions.create({
      file: await sound(),
      model: 'gpt-4o-transcribe',
    });
    expect(json.text).toBe('This is a simulated transcript of call.mp3 (32000 bytes); no model was called.');
    expect(json.usage).toMatchObject({ type: 'tokens', input_tokens: 20 });
    expect((await sim.requests()).at(-1)).toMatchObject({
      path: '/v1/audio/transcriptions',
      model: 'gpt-4o-transcribe',
      body: { model: 'gpt-4o-transcribe', file: { name: 'call.mp3', bytes: 32_000 } },
    });
    const whisper = async (response_format: 'verbose_json' | 'srt' | 'vtt' | 'text') =>
      sim.openai.audio.transcriptions.create({ file: await sound(), model: 'whisper-1', response_format });
    expect(await whisper('verbose_json')).toMatchObject({ duration: 2, task: 'transcribe' });
    expect(await whisper('srt')).toMatch(/^1\n00:00:00,000 --> 00:00:02,000\nThis is/);
    expect(await whisper('vtt')).toMatch(/^WEBVTT/);
    const deltas: string[] = [];
    const stream = await sim.openai.audio.transcriptions.create({
      file: await sound(),
      model: 'gpt-4o-mini-transcribe',
      stream: true,
    });
    for await (const event of stream) if (event.type === 'transcript.text.delta') deltas.push(event.delta);
    expect(deltas.join('')).toBe(json.text);
    const translated = await sim.openai.audio.translations.create({
      file: await sound(),
      model: 'whisper-1',
    });
    expect(translated.text).toContain('call.mp3');
  });

  test('legacy completions, whole and streamed, with usage', async () => {
    const params = { model: 'gpt-3.5-turbo-instruct', prompt: 'Once upon', max_tokens: 100 };
    const whole = await sim.openai.completions.create({ ...params, n: 2 });
    expect(whole.choices.map(({ index, finish_reason }) => [index, finish_reason])).toEqual([
      [0, 'stop'],
      [1, 'stop'],
    ]);
    expect(whole.usage).toMatchObject({ prompt_tokens: 3, completion_tokens: 36 });
    const chunks: OpenAI.Completion[] = [];
    const stream = await sim.openai.completions.create({
      ...params,
      stream: true,
      stream_options: { include_usage: true },
    });
    for await (const chunk of stream) chunks.push(chunk);
    expect(chunks.map((chunk) => chunk.choices[0]?.text ?? '').join('')).toBe(whole.choices[0]?.text);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 3, completion_tokens: 18 } });
    const cut = await sim.openai.completions.create({ ...params, max_tokens: 5 });
    expect(cut.choices[0]?.finish_reason).toBe('length');
  });

  test('a script and its faults reach them too', async () => {
    await sim.script(
      { match: { api: 'openai-completions' }, answer: { text: ' a time.' } },
      { match: { api: 'openai-embeddings' }, fault: { kind: 'status', status: 429 } },
    );
    const input = { model: 'text-embedding-3-small', input: 'x' };
    await expect(sim.openai.embeddings.create(input)).rejects.toThrow(OpenAI.RateLimitError);
    expect((await sim.openai.embeddings.create(input)).data).toHaveLength(1);
    const { choices } = await sim.openai.completions.create({ model: 'davinci-002', prompt: 'Once upon' });
    expect(choices[0]?.text).toBe(' a time.');
  });
});

const embed = { model: 'text-embedding-3-small', input: 'x' };
const speech = { model: 'tts-1', input: 'x', voice: 'alloy' };
const rows: [rule: string, path: string, fields: object, status: number, message: RegExp][] = [
  ['unknown model', 'embeddings', { ...embed, model: 'gpt-4o' }, 404, /`gpt-4o` does not exist/],
  ['unknown field', 'embeddings', { ...embed, foo: 1 }, 400, /^Unknown parameter: 'foo'/],
  ['empty input', 'embeddings', { ...embed, input: '' }, 400, /'input'.*string too short/],
  ['too long an input', 'embeddings', { ...embed, input: 'x'.repeat(33_000) }, 400, /8192 tokens, however/],
  ['too many dimensions', 'embeddings', { ...embed, dimensions: 2_000 }, 400, /less than or equal to 1536/],
  [
    'dimensions of ada',
    'embeddings',
    { ...embed, model: 'text-embedding-ada-002', dimensions: 8 },
    400,
    /dimensions/,
  ],
  ['no input', 'moderations', {}, 400, /Missing required parameter: 'input'/],
  ['no prompt', 'images/generations', { model: 'gpt-image-2' }, 400, /Missing required parameter: 'prompt'/],
  [
    'response_format',
    'images/generations',
    { model: 'gpt-image-2', prompt: 'x', response_format: 'url' },
    400,
    /Unknown parameter/,
  ],
  [
    'two of DALL·E 3',
    'images/generations',
    { model: 'dall-e-3', prompt: 'x', n: 2 },
    400,
    /only make 1 image/,
  ],
  ['unknown voice', 'audio/speech', { ...speech, voice: 'bob' }, 400, /Invalid value: 'bob'/],
  ["someone's voice", 'audio/speech', { ...speech, voice: { id: 'voice_1' } }, 404, /'voice_1' not found/],
  [
    'events of tts-1',
    'audio/speech',
    { ...speech, stream_format: 'sse' },
    400,
    /'stream_format' is not supported/,
  ],
  ['long speech', 'audio/speech', { ...speech, input: 'x'.repeat(4_097) }, 400, /maximum length 4096/],
  ['JSON for a form', 'audio/transcriptions', { model: 'whisper-1' }, 400, /expected 'multipart\/form-data'/],
  [
    'too long a completion',
    'completions',
    { model: 'gpt-3.5-turbo-instruct', prompt: 'x', max_tokens: 5_000 },
    400,
    /4096 tokens, however/,
  ],
  ['suffix', 'completions', { model: 'davinci-002', prompt: 'x', suffix: 'y' }, 400, /suffix/],
  ['a path there is none of', 'realtime/sessions', {}, 404, /^Invalid URL \(POST \/v1\/realtime\/sessions\)/],
];

test.each(rows)('refuses: %s of %s', async (_rule, path, fields, status, message) => {
  const response = await sim.post(`/v1/${path}`, fields);
  expect((await answerOf(response)).error?.message).toMatch(message);
  expect(response.status).toBe(status);
});

test('refuses a file of another format, and a form without one', async () => {
  const text = await toFile(Buffer.from('x'), 'notes.txt');
  const create = sim.openai.audio.transcriptions.create({ file: text, model: 'whisper-1' });
  await expect(create).rejects.toThrow(/Unrecognized file format/);
  const diarized = sim.openai.audio.transcriptions.create({
    file: await sound(),
    model: 'gpt-4o-transcribe',
    response_format: 'diarized_json',
  });
  await expect(diarized).rejects.toThrow(/not compatible with model/);
});

describe('traps T56: objects belong to the key, whoever made them', () => {
  test('files, batches, vector stores and conversations are there for the key that made them alone', async () => {
    const file = await sim.openai.files.create({
      file: await toFile(Buffer.from('secret of A'), 'a.jsonl'),
      purpose: 'batch',
    });
    expect(file).toMatchObject({ object: 'file', filename: 'a.jsonl', bytes: 11, purpose: 'batch' });
    expect(await (await sim.openai.files.content(file.id)).text()).toBe('secret of A');
    const batch = await sim.openai.batches.create({
      input_file_id: file.id,
      endpoint: '/v1/chat/completions',
      completion_window: '24h',
    });
    expect(await sim.openai.batches.retrieve(batch.id)).toMatchObject({ input_file_id: file.id });
    const store = await sim.openai.vectorStores.create({ name: 'A' });
    expect((await sim.openai.files.list()).data.map((one) => one.id)).toEqual([file.id]);
    const other = new OpenAI({ apiKey: 'sk-other', baseURL: `${sim.url}/v1`, maxRetries: 0 });
    await expect(other.files.retrieve(file.id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(other.vectorStores.retrieve(store.id)).rejects.toThrow(OpenAI.NotFoundError);
    expect((await other.files.list()).data).toEqual([]);
    await sim.openai.files.delete(file.id);
    await expect(sim.openai.files.retrieve(file.id)).rejects.toThrow(OpenAI.NotFoundError);
  });

  test('stored responses and chats can be read and deleted by id', async () => {
    const made = await sim.openai.responses.create({ model: 'gpt-6-luna', input: 'My secret' });
    expect((await sim.openai.responses.retrieve(made.id)).output_text).toContain('My secret');
    await sim.openai.responses.delete(made.id);
    await expect(sim.openai.responses.retrieve(made.id)).rejects.toThrow(OpenAI.NotFoundError);
    await expect(
      sim.openai.responses.create({ model: 'gpt-6-luna', input: 'On', previous_response_id: made.id }),
    ).rejects.toThrow(/not found/);
    const unkept = await sim.openai.responses.create({ model: 'gpt-6-luna', input: 'Hi', store: false });
    await expect(sim.openai.responses.retrieve(unkept.id)).rejects.toThrow(OpenAI.NotFoundError);
    const messages = [{ role: 'user' as const, content: 'Hi' }];
    const chat = await sim.openai.chat.completions.create({ model: 'gpt-6-luna', messages, store: true });
    expect(await sim.openai.chat.completions.retrieve(chat.id)).toMatchObject({ id: chat.id });
  });

  test("Anthropic's files and batches likewise", async () => {
    const file = await sim.claude.files.upload({ file: await toFile(Buffer.from('%PDF-1'), 'a.pdf') });
    expect(await sim.claude.files.retrieveMetadata(file.id)).toMatchObject({
      filename: 'a.pdf',
      size_bytes: 6,
    });
    const batch = await sim.claude.messages.batches.create({
      requests: [
        {
          custom_id: '1',
          params: { model: 'claude-haiku-5-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hi' }] },
        },
      ],
    });
    expect(await sim.claude.messages.batches.retrieve(batch.id)).toMatchObject({ type: 'message_batch' });
  });
});
