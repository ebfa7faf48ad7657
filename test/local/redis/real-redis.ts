import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type RedisBackend,
  type RedisCommand,
  RedisError,
  type RedisReply,
  RedisStatus,
} from '../../../src/local/redis/backend.ts';

export const hasRedis = spawnSync('redis-server', ['--version']).status === 0;

/** A real Redis of its own on a Unix socket, as the backend of our REST server. */
export async function startRealRedis(): Promise<RedisBackend> {
  const folder = mkdtempSync(join(tmpdir(), 'flux-redis-'));
  const path = join(folder, 'socket');
  const server = spawn(
    'redis-server',
    ['--port', '0', '--unixsocket', path, '--save', '', '--dir', folder, '--appendonly', 'no'],
    { stdio: 'ignore' },
  );
  const socket = await open(path);
  const connection = readReplies(socket);
  const send = (commands: RedisCommand[]): Promise<(RedisReply | RedisError)[]> => {
    const replies = commands.map(() => connection.next());
    socket.write(commands.map(encode).join(''), 'latin1');
    return Promise.all(replies);
  };
  return {
    pipeline: send,
    multi: async (commands) => {
      const replies = await send([['MULTI'], ...commands, ['EXEC']]);
      const last = replies.at(-1);
      if (last instanceof RedisError) throw last;
      return Array.isArray(last) ? last : [];
    },
    close: async () => {
      socket.destroy();
      const exited = new Promise((resolve) => server.once('exit', resolve));
      server.kill();
      await exited;
      rmSync(folder, { recursive: true });
    },
  };
}

async function open(path: string): Promise<Socket> {
  for (let tries = 0; ; tries++) {
    const socket = connect(path);
    try {
      await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
      return socket;
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(20);
    }
  }
}

function encode(command: RedisCommand): string {
  return `*${command.length}\r\n${command.map((word) => `$${word.length}\r\n${word}\r\n`).join('')}`;
}

type Parsed = { reply: RedisReply | RedisError; end: number } | null;

/** Gives the replies on a socket in order (RESP 2). */
function readReplies(socket: Socket): { next(): Promise<RedisReply | RedisError> } {
  const waiting: ((reply: RedisReply | RedisError) => void)[] = [];
  let buffer = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => {
    buffer += chunk;
    for (let parsed = parse(buffer, 0); parsed !== null; parsed = parse(buffer, 0)) {
      buffer = buffer.slice(parsed.end);
      waiting.shift()?.(parsed.reply);
    }
  });
  return { next: () => new Promise((resolve) => waiting.push(resolve)) };
}

function parse(text: string, start: number): Parsed {
  const line = text.indexOf('\r\n', start);
  if (line < 0) return null;
  const head = text.slice(start + 1, line);
  const after = line + 2;
  switch (text[start]) {
    case '+':
      return { reply: new RedisStatus(head), end: after };
    case '-':
      return { reply: new RedisError(head), end: after };
    case ':':
      return { reply: Number(head), end: after };
    case '$': {
      const length = Number(head);
      if (length < 0) return { reply: null, end: after };
      if (text.length < after + length + 2) return null;
      return { reply: text.slice(after, after + length), end: after + length + 2 };
    }
    default: {
      const items: RedisReply[] = [];
      let end = after;
      if (head === '-1') return { reply: null, end };
      for (let i = 0; i < Number(head); i++) {
        const item = parse(text, end);
        if (item === null) return null;
        // An error inside an array (EXEC's) keeps its place, as the type of a multi's replies has it.
        items.push(item.reply as RedisReply);
        end = item.end;
      }
      return { reply: items, end };
    }
  }
}
