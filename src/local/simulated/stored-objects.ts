import { digest, freshId } from './digest.ts';
import type { Refusal } from './refusal.ts';

/** A collection of objects a provider keeps: its path, the prefix of its ids, and what `object` (or `type`) says. */
interface Collection {
  path: string;
  prefix: string;
  kind: string;
}

/** OpenAI's collections whose objects another request, or another path, can name by id (oSDK resources). */
const OPENAI: readonly Collection[] = [
  { path: '/v1/files', prefix: 'file-', kind: 'file' },
  { path: '/v1/uploads', prefix: 'upload_', kind: 'upload' },
  { path: '/v1/batches', prefix: 'batch_', kind: 'batch' },
  { path: '/v1/vector_stores', prefix: 'vs_', kind: 'vector_store' },
  { path: '/v1/conversations', prefix: 'conv_', kind: 'conversation' },
  { path: '/v1/containers', prefix: 'cntr_', kind: 'container' },
  { path: '/v1/assistants', prefix: 'asst_', kind: 'assistant' },
  { path: '/v1/threads', prefix: 'thread_', kind: 'thread' },
  { path: '/v1/fine_tuning/jobs', prefix: 'ftjob-', kind: 'fine_tuning.job' },
  { path: '/v1/evals', prefix: 'eval_', kind: 'eval' },
  { path: '/v1/skills', prefix: 'skill_', kind: 'skill' },
  { path: '/v1/videos', prefix: 'video_', kind: 'video' },
];

/** Made by answering with `store`, not by a POST of their own. */
const ANSWERS: readonly Collection[] = [
  { path: '/v1/responses', prefix: 'resp_', kind: 'response' },
  { path: '/v1/chat/completions', prefix: 'chatcmpl-', kind: 'chat.completion' },
];

/** Anthropic's (aSDK resources). */
const ANTHROPIC: readonly Collection[] = [
  { path: '/v1/files', prefix: 'file_', kind: 'file' },
  { path: '/v1/messages/batches', prefix: 'msgbatch_', kind: 'message_batch' },
  { path: '/v1/skills', prefix: 'skill_', kind: 'skill' },
];

/** Kept at most; the oldest go first. */
const MAX_OBJECTS = 500;

interface StoredObject {
  organisation: string;
  collection: string;
  object: object;
  content: Buffer | undefined;
}

/** A request on such a path. `fields` are the body's; a file among them becomes the object's content. */
export interface ObjectRequest {
  provider: 'openai' | 'anthropic';
  organisation: string;
  method: string;
  path: string;
  fields: Record<string, unknown>;
  file: { name: string; content: Buffer } | undefined;
  now: number;
}

/**
 * Objects kept for an organisation, which stands for a key: whoever holds the key can list, read and delete all of
 * them, whichever customer of a gateway made them (T56). Only what that takes is simulated: a batch is never run.
 */
export class StoredObjects {
  readonly #objects = new Map<string, StoredObject>();

  /** Serves a request on a collection's path: JSON, bytes, a refusal, or undefined where the path is no collection's. */
  serve(request: ObjectRequest): object | Refusal | undefined {
    const collections = request.provider === 'openai' ? [...OPENAI, ...ANSWERS] : ANTHROPIC;
    const collection = collections.find(
      ({ path }) => request.path === path || request.path.startsWith(`${path}/`),
    );
    if (collection === undefined) return undefined;
    const [id, ...rest] = request.path.slice(collection.path.length + 1).split('/');
    if (id === undefined || id === '') {
      if (request.method !== 'POST') return this.#list(collection, request);
      return ANSWERS.includes(collection) ? undefined : this.#make(collection, request);
    }
    const found = this.#objects.get(digest(request.organisation, id));
    if (found === undefined || found.collection !== collection.path) return notFound(collection, id);
    if (request.method === 'DELETE' && rest.length === 0) {
      this.#objects.delete(digest(request.organisation, id));
      return request.provider === 'openai'
        ? { id, object: `${collection.kind}.deleted`, deleted: true }
        : { id, type: `${collection.kind}_deleted` };
    }
    if (rest[0] === 'content') return found.content ?? notFound(collection, id);
    if (rest.length > 0 && request.method === 'GET') return { object: 'list', data: [], has_more: false };
    return found.object;
  }

  /** Keeps an answer made with `store`; `path` is its collection. */
  keepAnswer(organisation: string, path: string, id: string, object: object): void {
    this.#keep(id, { organisation, collection: path, object, content: undefined });
  }

  /** Whether this organisation keeps an object of that id. */
  holds(organisation: string, id: string): boolean {
    return this.#objects.has(digest(organisation, id));
  }

  clear(): void {
    this.#objects.clear();
  }

  #make({ path, prefix, kind }: Collection, request: ObjectRequest): object {
    const { organisation, provider, fields, file, now } = request;
    const id = freshId(prefix);
    const ofFile =
      file === undefined
        ? {}
        : provider === 'openai'
          ? { bytes: file.content.length, filename: file.name, status: 'processed' }
          : { size_bytes: file.content.length, filename: file.name, downloadable: true };
    const object =
      provider === 'openai'
        ? { ...fields, id, object: kind, created_at: Math.floor(now / 1_000), ...ofFile }
        : { ...fields, id, type: kind, created_at: new Date(now).toISOString(), ...ofFile };
    this.#keep(id, { organisation, collection: path, object, content: file?.content });
    return object;
  }

  #keep(id: string, stored: StoredObject): void {
    this.#objects.set(digest(stored.organisation, id), stored);
    for (const key of this.#objects.keys()) {
      if (this.#objects.size <= MAX_OBJECTS) break;
      this.#objects.delete(key);
    }
  }

  #list({ path }: Collection, { organisation }: ObjectRequest): object {
    const data = [...this.#objects.values()]
      .filter((one) => one.organisation === organisation && one.collection === path)
      .map((one) => one.object);
    return { object: 'list', data, has_more: false };
  }
}

function notFound({ kind }: Collection, id: string): Refusal {
  return { status: 404, message: `No such ${kind}: ${id}`, param: 'id', code: null };
}
