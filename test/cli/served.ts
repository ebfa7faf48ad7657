import { createServer, type IncomingMessage, type Server } from 'node:http';
import { closeServer, listenOnLoopback, readBody } from '../../src/local/loopback-server.ts';

/** A server on loopback. */
export interface Served {
  url: string;
  close(): Promise<void>;
}

type Answering = (
  path: string,
  init: { method: string; headers: Record<string, string>; body?: string },
) => Promise<Response> | Response;

/** Puts a function that answers requests behind a port, as workerd does with the Worker. */
export async function serve(answer: Answering): Promise<Served> {
  const server: Server = createServer(async (request, response) => {
    const body = (await readBody(request)).toString('utf8');
    const answered = await answer(request.url ?? '/', {
      method: request.method ?? 'GET',
      headers: headersOf(request),
      ...(body === '' ? {} : { body }),
    });
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    response.end(Buffer.from(await answered.arrayBuffer()));
  });
  const url = `http://127.0.0.1:${await listenOnLoopback(server)}`;
  return { url, close: () => closeServer(server) };
}

function headersOf(request: IncomingMessage): Record<string, string> {
  return Object.fromEntries(
    Object.entries(request.headers).flatMap(([name, value]) =>
      typeof value === 'string' ? [[name, value]] : [],
    ),
  );
}
