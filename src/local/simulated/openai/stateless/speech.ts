import { z } from 'zod';
import { countTokens } from '../../tokens.ts';
import { unsupportedParameter } from '../errors.ts';
import type { AcceptStateless } from './stateless-exchange.ts';
import { readStateless, statelessExchange } from './stateless-exchange.ts';

/** oSDK `SpeechModel`. */
export const SPEECH_MODELS = ['tts-1', 'tts-1-hd', 'gpt-4o-mini-tts', 'gpt-4o-mini-tts-2025-12-15'];

const TYPES = {
  mp3: 'audio/mpeg',
  opus: 'audio/opus',
  aac: 'audio/aac',
  flac: 'audio/flac',
  wav: 'audio/wav',
  pcm: 'audio/pcm',
} as const;

const VOICES = 'alloy ash ballad cedar coral echo fable marin nova onyx sage shimmer verse'.split(' ');

/** A letter is that many bytes of sound; no player should be asked to play them. */
const BYTES_PER_LETTER = 100;

const body = z.strictObject({
  model: z.string(),
  // 4,096 characters (oSDK).
  input: z.string().min(1).max(4_096),
  voice: z.union([z.enum(VOICES), z.strictObject({ id: z.string() })]),
  instructions: z.string().max(4_096).optional(),
  response_format: z.enum(['mp3', 'opus', 'aac', 'flac', 'wav', 'pcm']).default('mp3'),
  speed: z.number().min(0.25).max(4).optional(),
  stream_format: z.enum(['sse', 'audio']).default('audio'),
});

/** `POST /v1/audio/speech`: bytes that name themselves simulated, or events with them. */
export const acceptSpeech: AcceptStateless = (request) => {
  const read = readStateless(body, request.fields, SPEECH_MODELS);
  if ('status' in read) return read;
  const speech = read.body;
  const isOlder = speech.model.startsWith('tts-');
  // Neither works with tts-1 and tts-1-hd (oSDK).
  if (isOlder && speech.stream_format === 'sse') return unsupportedParameter('stream_format');
  if (isOlder && speech.instructions !== undefined) return unsupportedParameter('instructions');
  // Voices of one's own are stored objects, and nobody can make one here.
  if (typeof speech.voice !== 'string') {
    return { status: 404, message: `Voice '${speech.voice.id}' not found.`, param: 'voice', code: null };
  }
  const sound = Buffer.alloc(speech.input.length * BYTES_PER_LETTER, 'simulated sound ');
  const input = countTokens(speech.input, 'plain');
  const output = speech.input.length;
  const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output };
  const pieces = Math.ceil(sound.length / 4_096);
  return statelessExchange(request, {
    api: 'openai-audio',
    model: speech.model,
    stream: speech.stream_format === 'sse',
    asked: speech.input,
    inputTokens: input,
    answer: () => ({
      body: sound,
      contentType: TYPES[speech.response_format],
      frames: [
        ...Array.from({ length: pieces }, (_, at) => ({
          data: {
            type: 'speech.audio.delta',
            audio: sound.subarray(at * 4_096, (at + 1) * 4_096).toString('base64'),
          },
        })),
        { data: { type: 'speech.audio.done', usage } },
      ],
    }),
  });
};
