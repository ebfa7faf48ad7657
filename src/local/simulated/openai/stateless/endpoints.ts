import type { Exchange } from '../../exchange.ts';
import type { Refusal } from '../../refusal.ts';
import { readFields } from '../../request-body.ts';
import { openaiCaller, readJson } from '../caller.ts';
import { acceptCompletions, COMPLETION_MODELS } from './completions.ts';
import { acceptEmbeddings, EMBEDDING_MODELS } from './embeddings.ts';
import { acceptImages, IMAGE_MODELS } from './images.ts';
import { acceptModerations, MODERATION_MODELS } from './moderations.ts';
import { acceptSpeech, SPEECH_MODELS } from './speech.ts';
import type { AcceptStateless } from './stateless-exchange.ts';
import { acceptTranscriptions, acceptTranslations, TRANSCRIPTION_MODELS } from './transcriptions.ts';

const ENDPOINTS: Record<string, { accept: AcceptStateless; takes: 'json' | 'form' }> = {
  '/v1/completions': { accept: acceptCompletions, takes: 'json' },
  '/v1/embeddings': { accept: acceptEmbeddings, takes: 'json' },
  '/v1/moderations': { accept: acceptModerations, takes: 'json' },
  '/v1/images/generations': { accept: acceptImages, takes: 'json' },
  '/v1/audio/speech': { accept: acceptSpeech, takes: 'json' },
  '/v1/audio/transcriptions': { accept: acceptTranscriptions, takes: 'form' },
  '/v1/audio/translations': { accept: acceptTranslations, takes: 'form' },
};

/** Models these endpoints have, for `GET /v1/models`. */
export const STATELESS_MODELS: readonly string[] = [
  ...COMPLETION_MODELS,
  ...EMBEDDING_MODELS,
  ...MODERATION_MODELS,
  ...IMAGE_MODELS,
  ...SPEECH_MODELS,
  ...TRANSCRIPTION_MODELS,
];

/** Takes a request to an endpoint of OpenAI's that keeps nothing; undefined where the path is none. */
export async function acceptStateless(
  path: string,
  raw: Buffer,
  headers: Record<string, string>,
  now: number,
): Promise<Exchange | Refusal | undefined> {
  const endpoint = ENDPOINTS[path];
  if (endpoint === undefined) return undefined;
  const caller = openaiCaller(headers);
  if ('status' in caller) return caller;
  const isForm = headers['content-type']?.startsWith('multipart/form-data') === true;
  if (isForm !== (endpoint.takes === 'form')) {
    const wanted = endpoint.takes === 'form' ? 'multipart/form-data' : 'application/json';
    return {
      status: 400,
      message: `Invalid content type: expected '${wanted}', got '${headers['content-type'] ?? ''}'.`,
      code: null,
    };
  }
  const read = await readFields(raw, headers);
  if (read !== undefined) return endpoint.accept({ ...read, key: caller.key, now });
  const json = readJson(raw.toString('utf8'));
  return 'status' in json
    ? json
    : { status: 400, message: 'The body must be a JSON object.', param: null, code: 'invalid_type' };
}
