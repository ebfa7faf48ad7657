import { readFileSync } from 'node:fs';
import type { Conversation, Message } from '../../src/core/conversation.ts';
import { classify } from '../../src/core/difficulty/scorer.ts';

const ANCHORS = readFileSync(new URL('../anchors.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => String((JSON.parse(line) as { prompt: string }).prompt)); // our own file

const WARM_UP = 2_000;
const RUNS = 5_000;

/** Milliseconds that the classification of a step takes, by what is classified. */
export function measureClassification(): Record<string, unknown> {
  return {
    conversation_8kb: quantiles(conversation(8_192)),
    single_turn_8kb: quantiles(turn(8_192)),
    turn_of: Object.fromEntries(
      [1, 8, 64, 512, 4_096].map((kilobytes) => [
        `${kilobytes}kb`,
        quantiles(turn(kilobytes * 1_024), kilobytes > 100 ? 200 : RUNS),
      ]),
    ),
    hostile_512kb: quantiles(question('<system-reminder <system-reminder> '.repeat(15_000)), 200),
  };
}

/** User and assistant turns of about 400 characters, to `size` characters in all; the last is a user's. */
function conversation(size: number): Conversation {
  const messages: Message[] = [];
  let length = 0;
  for (let at = 0; length < size; at += 1) {
    const text = `${ANCHORS[(7 * at) % ANCHORS.length]} ${ANCHORS[(13 * at + 5) % ANCHORS.length]} `.repeat(
      2,
    );
    messages.push({ role: at % 2 === 0 ? 'assistant' : 'user', content: [{ type: 'text', text }] });
    length += text.length;
  }
  return question('Now explain why the second of these is slower, and fix it.', messages);
}

/** One user turn of that many characters. */
function turn(size: number): Conversation {
  const text = ANCHORS.join('\n');
  return question(text.repeat(Math.ceil(size / text.length)).slice(0, size));
}

function question(text: string, before: Message[] = []): Conversation {
  return {
    messages: [...before, { role: 'user', content: [{ type: 'text', text }] }],
    tools: [],
    output: { stop: [], n: 1, logprobs: false },
    sampling: {},
    reasoning: {},
    hints: {},
  };
}

function quantiles(input: Conversation, runs = RUNS): { p50: number; p99: number } {
  for (let run = 0; run < Math.min(WARM_UP, runs); run += 1) classify(input);
  const times: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const start = performance.now();
    classify(input);
    times.push(performance.now() - start);
  }
  times.sort((a, b) => a - b);
  const at = (share: number): number => Number((times[Math.floor(share * (runs - 1))] ?? 0).toFixed(4));
  return { p50: at(0.5), p99: at(0.99) };
}
