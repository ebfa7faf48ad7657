import { Buffer } from 'node:buffer';
import { invalidRequest } from '../core/errors.ts';

/** What of a form is looked at: its texts, and where its `model` stands. */
export interface Form {
  /** Every part that is no file, by its name; of a list the last one. */
  fields: Record<string, string>;
  /** Where the value of `model` is in the bytes; null without one. */
  model: { start: number; end: number } | null;
}

const MOST_PARTS = 100;
const LONGEST_HEAD = 4_096;
/** What a text may be: only a reference recording in the text is longer, and nobody reads that here. */
const LONGEST_TEXT = 65_536;

/**
 * Reads a `multipart/form-data` body in place: it passes through byte for byte.
 * @throws FluxError 400
 */
export function readForm(bytes: Uint8Array, contentType: string): Form {
  const boundary = boundaryOf(contentType);
  if (boundary === null) {
    throw invalidRequest(
      'Send this as multipart/form-data, with `file` and `model`.',
      'content-type',
      'invalid_form',
    );
  }
  const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const delimiter = `\r\n--${boundary}`;
  const form: Form = { fields: {}, model: null };
  // The first delimiter may open the body.
  let at = body.indexOf(delimiter.slice(2)) === 0 ? delimiter.length - 2 : after(body, delimiter, 0);
  for (let parts = 0; ; parts += 1) {
    if (body.toString('latin1', at, at + 2) === '--') return form;
    if (parts === MOST_PARTS) throw unreadable();
    const headEnd = body.indexOf('\r\n\r\n', at);
    const start = headEnd + 4;
    if (headEnd === -1 || headEnd - at > LONGEST_HEAD) throw unreadable();
    const next = after(body, delimiter, headEnd + 2);
    const end = Math.max(start, next - delimiter.length);
    const { name, isFile } = readHead(body.toString('utf8', at, headEnd));
    if (name === 'model') {
      // Two of them could be read as one by us and as the other by the provider.
      if (form.model) throw unreadable();
      form.model = { start, end };
    }
    if (!isFile && end - start <= LONGEST_TEXT) form.fields[name] = body.toString('utf8', start, end);
    at = next;
  }
}

/** A copy of the form with another model. */
export function withModel(bytes: Uint8Array, { start, end }: { start: number; end: number }, model: string) {
  return Buffer.concat([bytes.subarray(0, start), Buffer.from(model), bytes.subarray(end)]);
}

/** RFC 2046: at most 70 characters. */
function boundaryOf(contentType: string): string | null {
  if (!/^\s*multipart\/form-data\s*;/i.test(contentType)) return null;
  const [, quoted, plain] = /;\s*boundary=(?:"([^"]{1,70})"|([^\s;"]{1,70}))/i.exec(contentType) ?? [];
  return quoted ?? plain ?? null;
}

/** The position after the next delimiter. */
function after(body: Buffer, delimiter: string, from: number): number {
  const found = body.indexOf(delimiter, from, 'latin1');
  if (found === -1) throw unreadable();
  return found + delimiter.length;
}

function readHead(head: string): { name: string; isFile: boolean } {
  const line = /^content-disposition:\s*form-data\s*;(.*)$/im.exec(head)?.[1] ?? '';
  const name = /(?:^|;)\s*name="([^"]*)"/i.exec(line)?.[1] ?? /(?:^|;)\s*name=([^\s;"]+)/i.exec(line)?.[1];
  if (name === undefined) throw unreadable();
  return { name, isFile: /(?:^|;)\s*filename\*?=/i.test(line) };
}

function unreadable() {
  return invalidRequest(
    'The form could not be read: send multipart/form-data as its RFC 7578 has it.',
    undefined,
    'invalid_form',
  );
}
