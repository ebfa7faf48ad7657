import { connect, type Socket } from 'node:net';

/** What a load brought. */
export interface Load {
  /** Answers of status 200, read to their end. */
  answered: number;
  /** Everything else. */
  failed: number;
  /** How often by status; 0: the connection broke. */
  statuses: Record<number, number>;
  seconds: number;
  /** Milliseconds from the first byte sent to the last received, of each answer. */
  latencies: number[];
}

/** Where a request goes, and all that it says. */
export interface Target {
  port: number;
  path: string;
  headers: Record<string, string>;
}

/** An HTTP request as bytes: made once, sent many times. */
export function writeRequest({ port, path, headers }: Target, body: string): Buffer {
  const lines = Object.entries({
    host: `127.0.0.1:${port}`,
    'content-type': 'application/json',
    ...headers,
    'content-length': String(Buffer.byteLength(body)),
  }).map(([name, value]) => `${name}: ${value}`);
  return Buffer.from(`POST ${path} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/**
 * Sends a connection's request again and again on some connections, one at a time on each, until `ms` have passed or `most`
 * are sent. On bare sockets: an HTTP client of Node's would take the processor from what it measures.
 */
export async function load(
  port: number,
  request: (connection: number) => Buffer,
  connections: number,
  { ms, most = Number.POSITIVE_INFINITY }: { ms: number; most?: number },
): Promise<Load> {
  const total: Load = { answered: 0, failed: 0, statuses: {}, seconds: 0, latencies: [] };
  const begun = performance.now();
  let sent = 0;
  const mayGoOn = (): boolean => sent < most && performance.now() - begun < ms;
  const lane = async (_: unknown, connection: number): Promise<void> => {
    const bytes = request(connection);
    let socket: Socket | undefined;
    while (mayGoOn()) {
      sent += 1;
      if (socket === undefined || socket.destroyed) socket = await open(port);
      const start = performance.now();
      const status = await exchange(socket, bytes);
      total.statuses[status] = (total.statuses[status] ?? 0) + 1;
      if (status === 200) {
        total.answered += 1;
        total.latencies.push(performance.now() - start);
      } else {
        total.failed += 1;
        // An answer that came before the body was sent leaves the connection half-way.
        socket.destroy();
      }
    }
    socket?.destroy();
  };
  await Promise.all(Array.from({ length: connections }, lane));
  total.seconds = (performance.now() - begun) / 1000;
  return total;
}

function open(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      socket.on('error', () => socket.destroy());
      resolve(socket);
    });
  });
}

/** The status of an answer that came to its end, or 0. */
function exchange(socket: Socket, request: Buffer): Promise<number> {
  return new Promise((resolve) => {
    let head = '';
    /** Bytes of the body still to come; null while the head is read, Infinity where its end is a last chunk. */
    let rest: number | null = null;
    let status = 0;
    let tail = '';
    const end = (result: number): void => {
      socket.off('data', read);
      socket.off('close', broken);
      resolve(result);
    };
    const broken = (): void => end(0);
    const read = (data: Buffer): void => {
      let length = data.length;
      if (rest === null) {
        head += data.toString('latin1');
        const at = head.indexOf('\r\n\r\n');
        if (at < 0) return;
        const fields = head.slice(0, at);
        status = Number(fields.slice(9, 12));
        const declared = /\r\ncontent-length: *(\d+)/i.exec(fields)?.[1];
        rest = declared === undefined ? Number.POSITIVE_INFINITY : Number(declared);
        length = head.length - at - 4;
      }
      rest -= length;
      tail = (tail + data.subarray(-7).toString('latin1')).slice(-7);
      if (rest <= 0 || (rest === Number.POSITIVE_INFINITY && tail.endsWith('\r\n0\r\n\r\n'))) end(status);
    };
    socket.on('data', read);
    socket.once('close', broken);
    socket.write(request);
  });
}
