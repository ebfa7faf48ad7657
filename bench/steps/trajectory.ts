import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import * as z from 'zod';
import { messageOf, StartError } from '../../src/local/start-error.ts';

const text = z.union([
  z.string(),
  z
    .array(z.object({ type: z.literal('text'), text: z.string() }))
    .transform((parts) => parts.map((part) => part.text).join('\n')),
]);

const call = z.object({ id: z.string(), function: z.object({ name: z.string(), arguments: z.string() }) });

const message = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer', 'user']), content: text }),
  z.object({
    role: z.literal('assistant'),
    content: text.nullish().transform((content) => content ?? ''),
    tool_calls: z
      .array(call)
      .nullish()
      .transform((calls) => calls ?? []),
  }),
  z.object({ role: z.literal('tool'), tool_call_id: z.string(), content: text }),
]);

const functionTool = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string(),
    description: z.string().exactOptional(),
    parameters: z.record(z.string(), z.unknown()).exactOptional(),
  }),
});

const trajectory = z.object({
  id: z.union([z.string(), z.number()]).transform(String),
  messages: z.array(message),
  tools: z.array(functionTool).optional(),
});

/** One recorded conversation of an agent, in OpenAI's format. Each assistant message in it is a step. */
export type Trajectory = z.infer<typeof trajectory>;
export type Message = Trajectory['messages'][number];
export type AssistantMessage = Extract<Message, { role: 'assistant' }>;
export type FunctionTool = z.infer<typeof functionTool>;

/** JSON lines of trajectories, plain or gzip (by the file's first bytes). @throws StartError that names file and line */
export function readTrajectories(file: string): Trajectory[] {
  const raw = readFile(file);
  const lines = (raw[0] === 0x1f && raw[1] === 0x8b ? gunzipSync(raw) : raw).toString('utf8').split('\n');
  return lines.flatMap((line, index) => (line.trim() === '' ? [] : [readLine(line, `${file}:${index + 1}`)]));
}

function readFile(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new StartError(`--traces: ${messageOf(error)}`);
  }
}

function readLine(line: string, where: string): Trajectory {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    throw new StartError(`${where}: not JSON`);
  }
  const read = trajectory.safeParse(value);
  if (!read.success) throw new StartError(`${where}: ${z.prettifyError(read.error)}`);
  return read.data;
}

/** Assistant messages: requests that a run sends. */
export function countSteps(trajectories: readonly Trajectory[]): number {
  return trajectories.reduce(
    (sum, { messages }) => sum + messages.filter(({ role }) => role === 'assistant').length,
    0,
  );
}
