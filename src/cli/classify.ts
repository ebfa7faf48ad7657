import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import type { Conversation, Message } from '../core/conversation.ts';
import { readMessages } from '../core/dialects/openai-chat/read.ts';
import { PRIOR } from '../core/difficulty/prior.ts';
import { type ScorerProfile, scorerProfile } from '../core/difficulty/profile.ts';
import { classify } from '../core/difficulty/scorer.ts';
import { FluxError } from '../core/errors.ts';

const HELP = `Usage: flux classify --jsonl [--profile p.json] < in > out

Reads JSON lines {id, prompt} or {id, messages}, messages in OpenAI's format (tool calls and results too), and
writes for each, in order, {id, score, label, signals}; with "unknown": true where nothing tells (label medium).
A bad line gives {line, error}; the work goes on and the exit code is 1.

  --jsonl           JSON lines in and out (the only format)
  --profile p.json  the scorer to use in place of the shipped one
  --json            accepted: output is JSON anyway
`;

const input = z.union([
  z.object({ id: z.unknown().optional(), messages: z.array(z.unknown()) }),
  z.object({ id: z.unknown().optional(), prompt: z.string() }),
]);

/** `flux classify`: standard input to standard output, a line at a time. */
export async function classifyCommand(args: string[]): Promise<number> {
  const options = readOptions(args);
  if (options === 'help') {
    process.stdout.write(HELP);
    return 0;
  }
  if (typeof options === 'string') return usageError(options);
  const profile = options.profile === undefined ? PRIOR : await readProfile(options.profile);
  if (typeof profile === 'string') return usageError(profile);
  let line = 0;
  let failed = false;
  for await (const text of createInterface({ input: process.stdin, crlfDelay: Number.POSITIVE_INFINITY })) {
    line += 1;
    if (text.trim() === '') continue;
    const result = classifyLine(text, line, profile);
    if ('error' in result) failed = true;
    if (!process.stdout.write(`${JSON.stringify(result)}\n`)) await once(process.stdout, 'drain');
  }
  return failed ? 1 : 0;
}

/** The parsed options, `help`, or what is wrong with them. */
function readOptions(args: string[]): { profile: string | undefined } | string {
  try {
    const { values } = parseArgs({
      args,
      options: {
        jsonl: { type: 'boolean' },
        json: { type: 'boolean' },
        profile: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    if (values.help) return 'help';
    return values.jsonl ? { profile: values.profile } : 'say --jsonl: input and output are JSON lines';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function usageError(message: string): number {
  process.stderr.write(`flux classify: ${message}\n\n${HELP}`);
  return 2;
}

/** The profile in a file, or what is wrong with it. */
async function readProfile(path: string): Promise<ScorerProfile | string> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    return `--profile ${path} cannot be read as JSON (${error instanceof Error ? error.message : String(error)})`;
  }
  const parsed = scorerProfile.safeParse(json);
  return parsed.success
    ? parsed.data
    : `--profile ${path} is not a scorer profile: ${z.prettifyError(parsed.error)}`;
}

function classifyLine(text: string, line: number, profile: ScorerProfile) {
  try {
    const parsed = input.safeParse(JSON.parse(text));
    if (!parsed.success)
      return { line, error: 'expected an object with "messages" (a list) or "prompt" (a string)' };
    const { id } = parsed.data;
    const messages: Message[] =
      'messages' in parsed.data
        ? readMessages(parsed.data.messages)
        : [{ role: 'user', content: [{ type: 'text', text: parsed.data.prompt }] }];
    const { score, label, unknown, signals } = classify(conversationOf(messages), profile);
    return { id: id ?? null, score, label, signals, ...(unknown ? { unknown } : {}) };
  } catch (error) {
    if (error instanceof SyntaxError) return { line, error: 'not JSON' };
    if (error instanceof FluxError) return { line, error: error.message };
    throw error;
  }
}

function conversationOf(messages: Message[]): Conversation {
  return {
    messages,
    tools: [],
    output: { stop: [], n: 1, logprobs: false },
    sampling: {},
    reasoning: {},
    hints: {},
  };
}
