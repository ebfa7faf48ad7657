import { createAnthropic } from '@ai-sdk/anthropic';
import { createOpenAI } from '@ai-sdk/openai';
import {
  APICallError,
  generateObject,
  generateText,
  isStepCount,
  type LanguageModel,
  type ModelMessage,
  Output,
  streamText,
  tool,
} from 'ai';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import * as z from 'zod';
import { type Gateway, START_LIMIT, startGateway, temporaryFolder } from './gateway.ts';

/** Vercel's AI SDK says what it leaves out for models it does not know; nobody reads that here. */
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

const folder = temporaryFolder();
let gateway: Gateway;

beforeAll(async () => {
  // A floor each way: `auto:easy` is Claude's, `auto:hard` is GPT's.
  const FLUX_TIERS = JSON.stringify({
    easy: ['claude-haiku-5-5'],
    medium: ['claude-sonnet-5-5'],
    hard: ['gpt-6.2-sol'],
  });
  gateway = await startGateway(folder.path, { FLUX_TIERS });
}, START_LIMIT);
afterAll(async () => {
  await gateway?.stop();
  folder.remove();
});
beforeEach(() => gateway.script());

/** Base URLs with `/v1`, as each package asks for them. */
const settings = (apiKey = gateway.stack.key) => ({ baseURL: `${gateway.stack.url}/v1`, apiKey });
const CLIENTS: Record<string, (model: string, apiKey?: string) => LanguageModel> = {
  '@ai-sdk/openai': (model, apiKey) => createOpenAI(settings(apiKey))(model),
  '@ai-sdk/openai, .chat()': (model, apiKey) => createOpenAI(settings(apiKey)).chat(model),
  '@ai-sdk/anthropic': (model, apiKey) => createAnthropic(settings(apiKey))(model),
};
const WAYS = Object.keys(CLIENTS).flatMap((client) => [
  { client, of: 'Claude', model: 'auto:easy', served: 'claude-haiku-5-5', other: 'auto:hard' },
  { client, of: 'GPT', model: 'auto:hard', served: 'gpt-6.2-sol', other: 'auto:easy' },
]);

const City = z.object({ city: z.string(), people: z.number() });
const TWO_CALLS = {
  answer: {
    text: 'Let me look.',
    calls: [
      { name: 'get_weather', arguments: { city: 'Rome' } },
      { name: 'get_weather', arguments: { city: 'Oslo' } },
    ],
  },
};

describe.each(WAYS)('$client on $of', ({ client, model: id, served, other }) => {
  const model = (name = id, apiKey?: string): LanguageModel => {
    const made = CLIENTS[client]?.(name, apiKey);
    if (!made) throw new Error(`no client ${client}`);
    return made;
  };
  const asked: string[] = [];
  const weather = tool({
    description: 'Weather of a city',
    inputSchema: z.object({ city: z.string() }),
    execute: async ({ city }) => {
      asked.push(city);
      return { sky: `sunny in ${city}` };
    },
  });
  const loop = () => ({
    model: model(),
    maxRetries: 0,
    tools: { get_weather: weather },
    stopWhen: isStepCount(5),
    maxOutputTokens: 2_000,
  });
  const lastSent = async () => JSON.stringify((await gateway.sent()).at(-1)?.body);
  beforeEach(() => {
    asked.length = 0;
  });

  test('generateText: tools in parallel over several steps, and all of it with the next question, to either provider', async () => {
    const again = { answer: { text: '', calls: [{ name: 'get_weather', arguments: { city: 'Bern' } }] } };
    await gateway.script(TWO_CALLS, again, { answer: { text: 'Sunny everywhere.', calls: [] } });
    const messages: ModelMessage[] = [{ role: 'user', content: 'Weather in Rome and Oslo?' }];
    const first = await generateText({ ...loop(), messages });
    expect(asked).toEqual(['Rome', 'Oslo', 'Bern']);
    expect(first.text).toBe('Sunny everywhere.');
    expect(first.steps.map(({ finishReason }) => finishReason)).toEqual(['tool-calls', 'tool-calls', 'stop']);
    expect(first.steps.map(({ response }) => response.modelId)).toEqual([served, served, served]);
    expect(first.totalUsage.inputTokens).toBeGreaterThan(0);
    expect(first.totalUsage.outputTokens).toBeGreaterThan(0);

    const next: ModelMessage = { role: 'user', content: 'Which one was first?' };
    for (const name of [id, other]) {
      const { text } = await generateText({
        ...loop(),
        model: model(name),
        messages: [...messages, ...first.responseMessages, next],
      });
      expect(text).toContain('Which one was first?');
      for (const said of ['Let me look.', 'sunny in Oslo', 'sunny in Bern', 'Sunny everywhere.']) {
        expect(await lastSent()).toContain(said);
      }
    }
  });

  test('streamText: the same loop streamed, no part an error', async () => {
    await gateway.script(TWO_CALLS, { answer: { text: 'Sunny in both.', calls: [] } });
    const result = streamText({ ...loop(), prompt: 'Weather in Rome and Oslo?' });
    const parts = [];
    for await (const part of result.stream) parts.push(part);
    expect(parts.filter(({ type }) => type === 'error' || type === 'raw')).toEqual([]);
    expect(parts.filter(({ type }) => type === 'tool-call')).toHaveLength(2);
    expect(asked.sort()).toEqual(['Oslo', 'Rome']);
    expect(await result.text).toBe('Sunny in both.');
    expect((await result.totalUsage).outputTokens).toBeGreaterThan(0);
  });

  test('an object: generateObject, and as the output of a text', async () => {
    const request = { model: model(), maxRetries: 0, prompt: 'A city.' };
    const { object } = await generateObject({ ...request, schema: City });
    expect(City.safeParse(object).success).toBe(true);
    const { output } = await generateText({ ...request, output: Output.object({ schema: City }) });
    expect(City.safeParse(output).success).toBe(true);
    const streamed = streamText({ ...request, output: Output.object({ schema: City }) });
    expect(City.safeParse(await streamed.output).success).toBe(true);
  });

  test('a file, a system prompt and settings', async () => {
    const pdf = Buffer.from('%PDF-1.4 one page').toString('base64');
    const { text, finishReason } = await generateText({
      model: model(),
      maxRetries: 0,
      instructions: 'You are terse.',
      temperature: 0.2,
      maxOutputTokens: 1_000,
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'What is in it?' },
            { type: 'file', data: pdf, mediaType: 'application/pdf', filename: 'plan.pdf' },
          ],
        },
      ],
    });
    expect([text, finishReason]).toEqual([expect.stringContaining('What is in it?'), 'stop']);
    for (const part of ['You are terse.', pdf]) expect(await lastSent()).toContain(part);
  });

  test('errors are its own, and a stream that breaks is one', async () => {
    const wrong = generateText({ model: model(id, 'flx_wrong_key'), maxRetries: 0, prompt: 'Hi' });
    await expect(wrong).rejects.toSatisfy(
      (error) => APICallError.isInstance(error) && error.statusCode === 401,
    );
    await gateway.script({
      times: 'always',
      fault: { kind: 'cut', after_events: 14 },
      delay: { first_ms: 0, between_ms: 5 },
    });
    const errors: unknown[] = [];
    const result = streamText({
      model: model(),
      maxRetries: 0,
      prompt: 'Tell me a story of many words, please.',
      onError: ({ error }) => {
        errors.push(error);
      },
    });
    await result.consumeStream();
    expect(errors.length).toBeGreaterThan(0);
  });
});
