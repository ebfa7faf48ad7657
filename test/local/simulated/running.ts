import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { JournalEntry } from '../../../src/local/simulated/journal.ts';
import type { SimulatorOptions } from '../../../src/local/simulated/options.ts';
import { startSimulators } from '../../../src/local/simulated/server.ts';

/** One day for all tests: Sonnet 4.5 still answers, Opus 4.1 no longer does. */
export const DAY = Date.parse('2026-11-23T12:00:00Z');

/** A running simulator for the tests of a file, empty before each. */
export class Simulated {
  url = '';
  readonly key = 'sk-test-1234';

  get claude(): Anthropic {
    return new Anthropic({ apiKey: this.key, baseURL: this.url, maxRetries: 0 });
  }

  get openai(): OpenAI {
    return new OpenAI({ apiKey: this.key, baseURL: `${this.url}/v1`, maxRetries: 0 });
  }

  /** Sends a body as it is; both keys and a version are there unless taken away with ''. */
  async post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    const isAnthropic = path.startsWith('/v1/messages');
    const all: Record<string, string> = {
      'content-type': 'application/json',
      authorization: `Bearer ${this.key}`,
      ...(isAnthropic ? { 'anthropic-version': '2026-10-21' } : {}),
      ...headers,
    };
    return fetch(this.url + path, {
      method: 'POST',
      headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== '')),
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  }

  async control(method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
    const response = await fetch(`${this.url}/control/${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} /control/${path}: ${await response.text()}`);
    // Control answers are always objects.
    return (await response.json()) as Record<string, unknown>;
  }

  script(...entries: unknown[]): Promise<Record<string, unknown>> {
    return this.control('POST', 'script', entries);
  }

  async requests(): Promise<JournalEntry[]> {
    // Journal entries travel as they are.
    return (await this.control('GET', 'requests')).data as JournalEntry[];
  }

  advance(ms: number): Promise<Record<string, unknown>> {
    return this.control('POST', 'clock', { advance_ms: ms });
  }
}

/** Starts a simulator for this file and empties script, journal and caches before each test. */
export function simulated(options: SimulatorOptions = {}): Simulated {
  const sim = new Simulated();
  let close = async () => {};
  beforeAll(async () => {
    const running = await startSimulators({ startAt: DAY, ...options });
    sim.url = running.url;
    close = running.close;
  });
  beforeEach(async () => {
    for (const what of ['script', 'requests', 'cache']) await sim.control('DELETE', what);
  });
  afterAll(() => close());
  return sim;
}

/** Text of a given length that differs from others by its first word. */
export function textOf(name: string, characters: number): string {
  const words = `${name} `.repeat(Math.ceil(characters / (name.length + 1)));
  return words.slice(0, characters - 1).concat('.');
}

/** All events of a server-sent stream: [name, data]. */
export async function eventsOf(response: Response): Promise<[string | undefined, unknown][]> {
  const text = await response.text();
  return text
    .split('\n\n')
    .filter(Boolean)
    .map((frame) => {
      const name = /^event: (.*)$/m.exec(frame)?.[1];
      const data = /^data: (.*)$/m.exec(frame)?.[1] ?? '';
      return [name, data === '[DONE]' ? data : JSON.parse(data)];
    });
}

export interface Block {
  type: string;
  [field: string]: unknown;
}

/** What the tests read of answers on all three wires. */
export interface Answer {
  type?: string;
  error?: { message: string; type: string; param: string | null; code: string | null } | null;
  content: Block[];
  choices?: { message: { content: string | null } }[];
  output?: { content?: { text?: string }[] }[];
  tools?: unknown[];
  usage: {
    input_tokens: number;
    output_tokens: number;
    cache_creation_input_tokens: number;
    cache_read_input_tokens: number;
    cache_creation: { ephemeral_5m_input_tokens: number; ephemeral_1h_input_tokens: number };
    input_tokens_details: {
      cached_tokens: number;
      cache_write_tokens: number;
      cache_write_tokens_details: { ttl_30m_tokens: number; ttl_12h_tokens: number };
    };
  };
}

/** Reads an answer. A field its wire doesn't have is missing, and the test that reads it fails. */
export async function answerOf(response: Response): Promise<Answer> {
  return (await response.json()) as Answer;
}
