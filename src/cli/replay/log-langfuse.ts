import { type Usage, usageOf } from '../../core/accounting/usage.ts';
import { countAt, isObject, type JsonObject, textAt } from '../../core/dialects/provider-json.ts';
import type { ProviderKind } from '../../core/routing/catalog.ts';
import { providerOf, readLoggedAnswer } from './log-answer.ts';
import { type LogEntry, UnreadableRecord } from './log-entry.ts';
import { readLoggedRequest } from './log-request.ts';
import { timeOf, unpacked } from './log-values.ts';

/*
 * Observations as Langfuse exports them: langfuse.com/docs/api-and-data-platform/features/blob-storage-export-fields
 * (snake case, input and output as JSON text), and as its API and its UI's export write them (camel case).
 */

export function isLangfuse(record: JsonObject): boolean {
  const hasTrace = 'trace_id' in record || 'traceId' in record;
  return hasTrace && typeof record.type === 'string' && ('start_time' in record || 'startTime' in record);
}

/** @throws UnreadableRecord */
export function readLangfuse(record: JsonObject): LogEntry {
  // The others are spans, events, tools …
  if (record.type !== 'GENERATION') return { kind: 'other' };
  const input = unpacked(record.input);
  if (input === undefined || input === null || input === '') {
    throw new UnreadableRecord('its input was not exported (Langfuse: the field group io)');
  }
  const model = textAt(record, 'provided_model_name') ?? textAt(record, 'model') ?? '';
  const provider = providerOf(model, undefined);
  const cost = record.total_cost ?? record.totalCost ?? record.calculatedTotalCost;
  return {
    kind: 'request',
    id: textAt(record, 'id') ?? null,
    ...readLoggedRequest({ ...bodyOf(input), ...parametersOf(record), ...toolsOf(record, input) }),
    answer: readLoggedAnswer(unpacked(record.output)),
    at: timeOf(record.start_time ?? record.startTime),
    bill: {
      ...{ model, provider, usage: readDetails(record.usage_details ?? record.usageDetails, provider) },
      reported: typeof cost === 'number' ? cost : null,
    },
  };
}

/** A list of messages, a body with them, or text. */
function bodyOf(input: unknown): JsonObject {
  if (Array.isArray(input)) return { messages: input };
  if (isObject(input)) return 'role' in input ? { messages: [input] } : input;
  return { messages: [String(input)] };
}

function parametersOf(record: JsonObject): JsonObject {
  const parameters = unpacked(record.model_parameters ?? record.modelParameters);
  return isObject(parameters) ? parameters : {};
}

/** `tool_definitions`: the schemas by name, each as JSON text. */
function toolsOf(record: JsonObject, input: unknown): JsonObject {
  const definitions = unpacked(record.tool_definitions ?? record.toolDefinitions);
  if ((isObject(input) && 'tools' in input) || !isObject(definitions)) return {};
  const tools = Object.entries(definitions).map(([name, text]) => {
    const definition = unpacked(text);
    return isObject(definition) ? { name, ...definition } : { name };
  });
  return tools.length > 0 ? { tools } : {};
}

/** Tokens by category, which do not overlap: `input` is what is left beside those of the cache. */
function readDetails(details: unknown, provider: ProviderKind): Usage | null {
  const counts = unpacked(details);
  if (!isObject(counts) || !('output' in counts)) return null;
  const sum = (...names: string[]) => names.reduce((total, name) => total + countAt(counts, name), 0);
  return usageOf({
    fresh: sum('input'),
    read: sum('input_cached_tokens', 'input_cache_read', 'cache_read_input_tokens'),
    [provider === 'anthropic' ? 'write_5m' : 'write_30m']: sum(
      ...['input_cache_creation', 'cache_creation_input_tokens', 'input_cache_write_tokens'],
    ),
    output: sum('output', 'output_reasoning_tokens', 'output_reasoning'),
  });
}
