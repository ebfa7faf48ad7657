import { conversationOfBench } from './dialects/conversation.ts';
import { measureRequest } from './dialects/requests.ts';
import { measureStream } from './dialects/streams.ts';
import { CLIENTS, MODELS } from './dialects/wires.ts';

/*
 * npm run bench:dialects: the CPU of translating a step, from the client's text to the provider's and from the
 * provider's frames to the client's, for each pair of wires. The last line is one JSON object.
 */

/** What the issue asks for: a 200 KB conversation with 100 tool calls, and one chunk of a stream. */
const LIMITS = { request_ms: 5, chunk_us: 30 };

const conversation = conversationOfBench();
const ways = CLIENTS.flatMap((client) =>
  MODELS.map((model) => {
    const { kilobytes, cpuMs, partsCpuMs } = measureRequest(client, model, conversation);
    const { chunks, cpuUs } = measureStream(client, model);
    const way = `${client.wire} → ${model.wire}`;
    process.stdout.write(
      `${way.padEnd(42)} ${kilobytes} KB in ${cpuMs.toFixed(2)} ms of CPU, in parts ${partsCpuMs.toFixed(2)} · ${chunks} chunks at ${cpuUs.toFixed(1)} µs\n`,
    );
    return {
      from: client.wire,
      to: model.wire,
      kilobytes,
      request_ms: cpuMs,
      parts_ms: partsCpuMs,
      chunks,
      chunk_us: cpuUs,
    };
  }),
);

const worst = {
  request_ms: Math.max(...ways.flatMap((way) => [way.request_ms, way.parts_ms])),
  chunk_us: Math.max(...ways.map((way) => way.chunk_us)),
};
const isMet = worst.request_ms < LIMITS.request_ms && worst.chunk_us < LIMITS.chunk_us;
process.stdout.write(`${JSON.stringify({ ways, worst, limits: LIMITS, met: isMet })}\n`);
if (!isMet) process.exitCode = 1;
