import { z } from 'zod';
import type { Refusal } from '../../refusal.ts';
import { textOf } from '../../reply.ts';
import { countTokens } from '../../tokens.ts';
import { words } from '../../wire.ts';
import { bad, unsupportedParameter } from '../errors.ts';
import type { AcceptStateless, StatelessRequest } from './stateless-exchange.ts';
import { readStateless, statelessExchange } from './stateless-exchange.ts';

/** oSDK `AudioModel`; only Whisper translates. */
export const TRANSCRIPTION_MODELS = [
  'whisper-1',
  'gpt-transcribe',
  'gpt-4o-transcribe',
  'gpt-4o-mini-transcribe',
  'gpt-4o-mini-transcribe-2025-12-15',
  'gpt-4o-transcribe-diarize',
];

/** 25 MB (oDoc:speech-to-text). */
const MAX_FILE_BYTES = 26_214_400;
const FORMATS = ['flac', 'm4a', 'mp3', 'mp4', 'mpeg', 'mpga', 'oga', 'ogg', 'wav', 'webm'];
/** Bytes of a second of sound, and its tokens. */
const BYTES_PER_SECOND = 16_000;
const TOKENS_PER_SECOND = 10;

// Values of a form are texts.
const texts = z.union([z.string(), z.array(z.string())]).optional();
const translation = z.strictObject({
  model: z.string(),
  prompt: z.string().optional(),
  response_format: z.enum(['json', 'text', 'srt', 'verbose_json', 'vtt']).default('json'),
  temperature: z.coerce.number().min(0).max(1).optional(),
});
const transcription = translation.extend({
  chunking_strategy: z.unknown().optional(),
  include: texts,
  keywords: texts,
  known_speaker_names: texts,
  known_speaker_references: texts,
  language: z.string().optional(),
  languages: texts,
  response_format: z.enum(['json', 'text', 'srt', 'verbose_json', 'vtt', 'diarized_json']).default('json'),
  stream: z.enum(['true', 'false']).optional(),
  timestamp_granularities: texts,
});

/** `POST /v1/audio/transcriptions`: says which file it would have listened to. */
export const acceptTranscriptions: AcceptStateless = (request) => {
  const read = readStateless(transcription, request.fields, TRANSCRIPTION_MODELS);
  if ('status' in read) return read;
  const { model, response_format: format, stream } = read.body;
  const file = soundOf(request);
  if ('status' in file) return file;
  const isWhisper = model === 'whisper-1';
  const takes = isWhisper
    ? format !== 'diarized_json'
    : model.endsWith('diarize')
      ? ['json', 'text', 'diarized_json'].includes(format)
      : ['json', 'text'].includes(format);
  if (!takes) {
    return bad(
      `response_format '${format}' is not compatible with model '${model}'. Use 'json' or 'text' instead.`,
      'response_format',
      'unsupported_value',
    );
  }
  if (read.body.include !== undefined && isWhisper) return unsupportedParameter('include');
  const seconds = Math.ceil(file.content.length / BYTES_PER_SECOND);
  const input = seconds * TOKENS_PER_SECOND;
  return statelessExchange(request, {
    api: 'openai-audio',
    model,
    // Whisper doesn't stream, and lets the field pass (oSDK).
    stream: stream === 'true' && !isWhisper,
    asked: file.name,
    inputTokens: isWhisper ? 0 : input,
    says: heard(file),
    answer: (reply) => {
      const text = textOf(reply);
      const output = countTokens(text, 'plain');
      const usage = isWhisper
        ? { type: 'duration', seconds }
        : {
            type: 'tokens',
            input_tokens: input,
            input_token_details: { audio_tokens: input, text_tokens: 0 },
            output_tokens: output,
            total_tokens: input + output,
          };
      return {
        ...written(text, format, seconds, 'transcribe', usage),
        frames: [
          ...words(text).map((delta) => event('transcript.text.delta', { delta })),
          event('transcript.text.done', { text, usage }),
        ],
      };
    },
  });
};

/** `POST /v1/audio/translations`: Whisper only, without a stream. */
export const acceptTranslations: AcceptStateless = (request) => {
  const read = readStateless(translation, request.fields, ['whisper-1']);
  if ('status' in read) return read;
  const { model, response_format: format } = read.body;
  const file = soundOf(request);
  if ('status' in file) return file;
  const seconds = Math.ceil(file.content.length / BYTES_PER_SECOND);
  return statelessExchange(request, {
    api: 'openai-audio',
    model,
    asked: file.name,
    inputTokens: 0,
    says: heard(file),
    answer: (reply) => ({ ...written(textOf(reply), format, seconds, 'translate', undefined), frames: [] }),
  });
};

function soundOf({ files }: StatelessRequest): { name: string; content: Buffer } | Refusal {
  const { file } = files;
  if (file === undefined) {
    return bad("Missing required parameter: 'file'.", 'file', 'missing_required_parameter');
  }
  if (file.content.length > MAX_FILE_BYTES) {
    return {
      status: 413,
      message: `413: Maximum content size limit (${MAX_FILE_BYTES}) exceeded (${file.content.length} bytes read)`,
      code: null,
    };
  }
  const extension = file.name.split('.').at(-1)?.toLowerCase() ?? '';
  return FORMATS.includes(extension)
    ? file
    : bad(
        `Unrecognized file format. Supported formats: [${FORMATS.map((one) => `'${one}'`).join(', ')}]`,
        'file',
        'invalid_value',
      );
}

function heard({ name, content }: { name: string; content: Buffer }): string {
  return `This is a simulated transcript of ${name} (${content.length} bytes); no model was called.`;
}

function written(text: string, format: string, seconds: number, task: string, usage: object | undefined) {
  const span = { start: 0, end: seconds };
  switch (format) {
    case 'text':
      return { body: `${text}\n`, contentType: 'text/plain; charset=utf-8' };
    case 'srt':
      return {
        body: `1\n00:00:00,000 --> ${clockOf(seconds)},000\n${text}\n\n`,
        contentType: 'text/plain; charset=utf-8',
      };
    case 'vtt':
      return {
        body: `WEBVTT\n\n00:00:00.000 --> ${clockOf(seconds)}.000\n${text}\n\n`,
        contentType: 'text/plain; charset=utf-8',
      };
    case 'verbose_json':
      return { body: { task, language: 'english', duration: seconds, text, segments: [], usage } };
    case 'diarized_json':
      return {
        body: {
          task,
          duration: seconds,
          text,
          segments: [{ id: 'seg_0', type: 'transcript.text.segment', speaker: 'A', text, ...span }],
          usage,
        },
      };
    default:
      return { body: { text, usage } };
  }
}

function clockOf(seconds: number): string {
  return new Date(seconds * 1_000).toISOString().slice(11, 19);
}

function event(type: string, fields: object) {
  return { event: type, data: { type, ...fields } };
}
