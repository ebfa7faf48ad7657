import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, listenOnLoopback, readBody } from '../loopback-server.ts';
import { messageOf } from '../start-error.ts';
import { type RedisBackend, type RedisCommand, RedisError, type RedisReply, RedisStatus } from './backend.ts';

export interface RedisServer {
  url: string;
  token: string;
  close(): Promise<void>;
}

/** A reply as JSON has it: base64 where the client asked, statuses always plain. */
type WireReply = string | number | null | WireReply[];
type WireResult = { result: WireReply } | { error: string };

/** Upstash's REST protocol on loopback, in front of any Redis. */
export async function startRedisServer(backend: RedisBackend, token: string, port = 0): Promise<RedisServer> {
  const server = createServer((request, response) => {
    answer(backend, token, request, response).catch((error) => {
      const expected = error instanceof RedisError;
      if (!expected) console.error(`redis: ${messageOf(error)}`);
      sendJson(response, expected ? 400 : 500, { error: messageOf(error) });
    });
  });
  const actual = await listenOnLoopback(server, port);
  return { url: `http://127.0.0.1:${actual}`, token, close: () => closeServer(server) };
}

async function answer(
  backend: RedisBackend,
  token: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://local');
  const body = await readBody(request);
  if (request.headers.authorization !== `Bearer ${token}` && url.searchParams.get('_token') !== token) {
    sendJson(response, 401, { error: 'WRONGPASS invalid or missing auth token' });
    return;
  }
  const base64 = request.headers['upstash-encoding'] === 'base64';
  if (url.pathname === '/pipeline' || url.pathname === '/multi-exec') {
    const commands = readCommands(body);
    const replies =
      url.pathname === '/pipeline' ? await backend.pipeline(commands) : await backend.multi(commands);
    sendJson(
      response,
      200,
      replies.map((reply) => onWire(reply, base64)),
    );
    return;
  }
  const command = url.pathname === '/' ? readCommand(parseJson(body)) : commandInPath(url, body);
  const [reply] = await backend.pipeline([command]);
  if (reply instanceof RedisError) throw reply;
  sendJson(response, 200, onWire(reply ?? null, base64));
}

function onWire(reply: RedisReply | RedisError, base64: boolean): WireResult {
  return reply instanceof RedisError ? { error: reply.message } : { result: encode(reply, base64) };
}

function encode(reply: RedisReply, base64: boolean): WireReply {
  if (Array.isArray(reply)) return reply.map((item) => encode(item, base64));
  // Upstash leaves `OK` as it is and encodes every other string; its client relies on both.
  if (reply instanceof RedisStatus && reply.text === 'OK') return 'OK';
  const bytes = reply instanceof RedisStatus ? reply.text : reply;
  return typeof bytes === 'string'
    ? Buffer.from(bytes, 'latin1').toString(base64 ? 'base64' : 'utf8')
    : bytes;
}

/** `/set/key/value?EX=10`: path and query are the arguments, a body is the last one, byte for byte. */
function commandInPath(url: URL, body: Buffer): RedisCommand {
  const command = url.pathname
    .slice(1)
    .split('/')
    .map((part) => toBytes(decodeURIComponent(part)));
  // Through Buffer.from: with the Workers' types loaded, a Buffer's own toString takes no encoding.
  if (body.length > 0) command.push(Buffer.from(body).toString('latin1'));
  for (const [name, value] of url.searchParams) {
    if (name === '_token') continue;
    command.push(toBytes(name), ...(value === '' ? [] : [toBytes(value)]));
  }
  return command;
}

function readCommands(body: Buffer): RedisCommand[] {
  const commands = parseJson(body);
  if (!Array.isArray(commands)) throw new RedisError('ERR failed to parse pipeline request');
  return commands.map(readCommand);
}

function readCommand(value: unknown): RedisCommand {
  if (!Array.isArray(value) || value.length === 0) throw new RedisError('ERR failed to parse command');
  return value.map((argument) => {
    if (typeof argument === 'string') return toBytes(argument);
    if (typeof argument === 'number' || typeof argument === 'boolean') return String(argument);
    throw new RedisError('ERR a command holds strings, numbers and booleans only');
  });
}

function toBytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    throw new RedisError('ERR failed to parse JSON');
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
