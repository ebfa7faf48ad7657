import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { type Readable, Transform } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { CommandError } from '../command-error.ts';

/** One JSON value of a log, not parsed yet. */
export interface LogRecord {
  text: string;
  file: string;
  /** Where it ends: its line, counted from 1. */
  line: number;
}

/** A log, and how far it has been read. */
export interface LogSource {
  name: string;
  /** Bytes as they lie on the disk; null for standard input. */
  size: number | null;
  bytesRead(): number;
  records(): AsyncGenerator<LogRecord>;
}

/**
 * Opens a log: a file, or `-` for standard input; compressed by gzip or not; JSON lines, or one JSON array.
 * @throws CommandError where there is no such file
 */
export async function openLog(path: string): Promise<LogSource> {
  const isInput = path === '-';
  const size = isInput ? null : await sizeOf(path);
  let read = 0;
  return {
    name: isInput ? 'standard input' : path,
    size,
    bytesRead: () => read,
    async *records() {
      const bytes: Readable = isInput ? process.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
      bytes.on('data', (chunk: Buffer) => {
        read += chunk.length;
      });
      const unpacked = await unpack(bytes);
      unpacked.setEncoding('utf8');
      try {
        yield* split(unpacked, path);
      } catch (error) {
        // A cut archive, a disk that fails: what was read before stands, but the figures would be of a part only.
        throw new CommandError(`${path} can't be read to its end: ${problemOf(error)}`);
      }
    },
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (!found.isDirectory()) return found.size;
  } catch (error) {
    throw new CommandError(`${path} can't be read: ${problemOf(error)}`);
  }
  throw new CommandError(
    `${path} is a folder: name its files, or pipe them in (cat ${path}/* | … --traces -)`,
  );
}

function problemOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The stream, unpacked where its first bytes are those of gzip. */
async function unpack(bytes: Readable): Promise<Readable> {
  const whole = bytes.pipe(new Transform({ transform: (chunk, _encoding, done) => done(null, chunk) }));
  bytes.once('error', (error) => whole.destroy(error));
  await new Promise<void>((resolve) => {
    whole
      .once('readable', resolve)
      .once('end', resolve)
      .once('error', () => resolve());
  });
  const first: Buffer | null = whole.read();
  if (first !== null) whole.unshift(first);
  if (first?.[0] !== 0x1f || first[1] !== 0x8b) return whole;
  const unzipped = createGunzip();
  whole.once('error', (error) => unzipped.destroy(error));
  return whole.pipe(unzipped);
}

async function* split(texts: AsyncIterable<string>, file: string): AsyncGenerator<LogRecord> {
  let splitter: Splitter | null = null;
  let blank = '';
  for await (const text of texts) {
    if (splitter === null) {
      blank += text;
      const start = blank.search(/\S/);
      if (start === -1) continue;
      splitter = blank[start] === '[' ? arraySplitter(file) : lineSplitter(file);
      yield* splitter.take(blank);
    } else yield* splitter.take(text);
  }
  if (splitter) yield* splitter.end();
}

interface Splitter {
  take(text: string): Iterable<LogRecord>;
  end(): Iterable<LogRecord>;
}

function lineSplitter(file: string): Splitter {
  let open: string[] = [];
  let line = 0;
  const close = (last: string): LogRecord[] => {
    line += 1;
    const text = open.length === 0 ? last : open.join('') + last;
    open = [];
    return text.trim() === '' ? [] : [{ text, file, line }];
  };
  return {
    *take(text) {
      let from = 0;
      for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', from)) {
        yield* close(text.slice(from, at));
        from = at + 1;
      }
      if (from < text.length) open.push(text.slice(from));
    },
    *end() {
      if (open.length > 0) yield* close('');
    },
  };
}

/** Langfuse exports one array: its members are told apart by their brackets, so that it is never held whole. */
function arraySplitter(file: string): Splitter {
  let open: string[] = [];
  let line = 1;
  let depth = 0;
  let inText = false;
  let escaped = false;
  const close = (last: string): LogRecord[] => {
    const text = `${open.join('')}${last}`.trim();
    open = [];
    return text === '' ? [] : [{ text, file, line }];
  };
  return {
    *take(text) {
      let from = 0;
      for (let at = 0; at < text.length; at += 1) {
        const code = text.charCodeAt(at);
        if (code === 10) line += 1;
        if (inText) {
          if (escaped) escaped = false;
          else if (code === 92) escaped = true;
          else if (code === 34) inText = false;
        } else if (code === 34) inText = true;
        else if (code === 91 || code === 123) {
          depth += 1;
          if (depth === 1) from = at + 1;
        } else if (code === 93 || code === 125 || (code === 44 && depth === 1)) {
          if (code !== 44) depth -= 1;
          if (code === 44 || depth === 0) {
            yield* close(text.slice(from, at));
            from = at + 1;
          }
        }
      }
      if (depth > 0) open.push(text.slice(from));
    },
    *end() {
      yield* close('');
    },
  };
}
