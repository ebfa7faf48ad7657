import type { MeteredUsage } from '../../accounting/metered-usage.ts';
import { readOpenAiUsage } from '../openai-usage.ts';
import { countAt, type JsonObject, objectAt } from '../provider-json.ts';

/**
 * The `usage` of an answer, whichever endpoint gave it (oSDK 7.57: `CreateEmbeddingResponse.Usage`,
 * `CompletionUsage`, `ImagesResponse.Usage`, `Transcription.Tokens` and `.Duration`, speech's `speech.audio.done`).
 */
export function readStatelessUsage(usage: JsonObject): MeteredUsage {
  const input = 'prompt_tokens' in usage ? 'prompt' : 'input';
  const output = 'completion_tokens' in usage ? 'completion' : 'output';
  // Transcriptions write it in the singular.
  const details = objectAt(usage, 'input_token_details') ?? objectAt(usage, `${input}_tokens_details`) ?? {};
  const made = objectAt(usage, `${output}_tokens_details`) ?? {};
  const { seconds } = usage;
  const tokens = readOpenAiUsage(usage, input, output);
  // Who counts the pictures of a prompt makes one; models without a price for words say no more of what they made.
  const isPicture = 'image_tokens' in details && !('image_tokens' in made);
  return {
    tokens,
    audioIn: countAt(details, 'audio_tokens'),
    imageIn: countAt(details, 'image_tokens'),
    audioOut: countAt(made, 'audio_tokens'),
    imageOut: isPicture ? tokens.output : countAt(made, 'image_tokens'),
    audioSeconds: typeof seconds === 'number' && seconds > 0 ? seconds : 0,
  };
}
