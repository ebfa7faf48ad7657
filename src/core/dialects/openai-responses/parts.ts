import type { CacheMark, DocumentBlock, ImageBlock, TextBlock, UserBlock } from '../../conversation.ts';
import { invalidRequest } from '../../errors.ts';
import type { InputPart } from './schema.ts';

type Part<T extends InputPart['type']> = Extract<InputPart, { type: T }>;

/** A part of what a user or a tool shows. */
export function readPart(part: InputPart, path: string): UserBlock {
  switch (part.type) {
    case 'input_text':
      return readText(part);
    case 'input_image':
      return readImage(part, path);
    case 'input_file':
      return readFile(part, path);
  }
}

export function readText(part: Part<'input_text'>): TextBlock {
  return { type: 'text', text: part.text, ...mark(part) };
}

function mark({ prompt_cache_breakpoint }: InputPart): { cache?: CacheMark } {
  if (!prompt_cache_breakpoint) return {};
  return { cache: { breakpoint: true, ...(prompt_cache_breakpoint.ttl === '12h' ? { ttl: '1h' } : {}) } };
}

function readImage(part: Part<'input_image'>, path: string): UserBlock {
  // Stored at the provider: core/stored-objects.ts has let it through for the customer's own key only.
  if (part.file_id != null) return { type: 'foreign', kind: part.type, raw: part };
  const url = part.image_url ?? '';
  const data = readDataUrl(url);
  if (!data && !/^https?:\/\//i.test(url.slice(0, 8))) {
    throw invalidRequest(
      'An image needs an http(s) URL or a base64 data URL (data:image/png;base64,…).',
      `${path}.image_url`,
    );
  }
  const source: ImageBlock['source'] = data ? { kind: 'base64', ...data } : { kind: 'url', url };
  return { type: 'image', source, ...(part.detail == null ? {} : { detail: part.detail }), ...mark(part) };
}

function readFile(part: Part<'input_file'>, path: string): UserBlock {
  if (part.file_id != null) return { type: 'foreign', kind: part.type, raw: part };
  const title = part.filename == null ? {} : { title: part.filename };
  const source = fileSource(part);
  if (!source) {
    throw invalidRequest(
      'A file needs file_data (a base64 data URL: data:application/pdf;base64,…) or file_url (http or https).',
      `${path}.file_data`,
    );
  }
  return { type: 'document', source, ...title, ...mark(part) };
}

function fileSource({ file_data, file_url }: Part<'input_file'>): DocumentBlock['source'] | null {
  if (file_data == null) {
    return /^https?:\/\//i.test(file_url?.slice(0, 8) ?? '') ? { kind: 'url', url: file_url ?? '' } : null;
  }
  const data = readDataUrl(file_data);
  return data && { kind: 'base64', ...data };
}

const DATA_URL = /^data:([a-z]+\/[a-z0-9.+-]+)(?:;[a-z-]+=[a-z0-9-]+)?;base64,/i;

function readDataUrl(url: string): { mediaType: string; data: string } | null {
  // Only the head is matched: the data itself may be megabytes.
  const head = DATA_URL.exec(url.slice(0, 150));
  return head?.[1] ? { mediaType: head[1].toLowerCase(), data: url.slice(head[0].length) } : null;
}
