import type { Refusal } from '../refusal.ts';
import type { StoredObjects } from '../stored-objects.ts';
import type { ChatBody } from './chat-request.ts';
import { bad } from './errors.ts';
import type { InputItem, ResponsesBody } from './responses-request.ts';

/** Images, files and stored objects that a request names: oYAML; T56. */

/** What a part names, and under which field. */
interface NamedInput {
  param: string;
  image?: string | null | undefined;
  data?: string | null | undefined;
  url?: string | null | undefined;
  fileId?: string | null | undefined;
}

/** Refuses what can't be read, or isn't kept for this organisation. A URL is never fetched. */
export function inputRefusal(
  inputs: readonly NamedInput[],
  organisation: string,
  objects: StoredObjects,
): Refusal | undefined {
  for (const { param, image, data, url, fileId } of inputs) {
    const given = [image, data, url, fileId].filter((one) => one != null).length;
    if (given === 0) {
      return bad(
        `Missing required parameter: '${param}.file_id'.`,
        `${param}.file_id`,
        'missing_required_parameter',
      );
    }
    if (given > 1) {
      return bad(
        `Mutually exclusive parameters: '${param}'. Ensure you are only providing one of: 'file_id', 'file_data' or a URL.`,
        param,
        'mutually_exclusive_parameters',
      );
    }
    if (
      image != null &&
      !/^(https?:\/\/|data:image\/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$)/.test(image)
    ) {
      return bad(
        `Invalid '${param}.image_url'. Expected a valid URL, but got a value with an invalid format.`,
        `${param}.image_url`,
        'invalid_value',
      );
    }
    if (data != null && !/^data:[a-z0-9.+-]+\/[a-z0-9.+-]+;base64,[A-Za-z0-9+/]+=*$/.test(data)) {
      return bad(
        `Invalid '${param}.file_data'. Expected a base64-encoded data URL with a MIME type (e.g. 'data:application/pdf;base64,JVBERi0='), but got a value with an invalid format.`,
        `${param}.file_data`,
        'invalid_value',
      );
    }
    if (fileId != null && !objects.holds(organisation, fileId)) {
      return {
        status: 404,
        message: `No such File object: ${fileId}`,
        param: `${param}.file_id`,
        code: null,
      };
    }
  }
  return undefined;
}

/** Images and files of a chat. */
export function chatInputs(body: ChatBody): NamedInput[] {
  return body.messages.flatMap((message, index) => {
    if (message.role !== 'user' || typeof message.content === 'string') return [];
    return message.content.flatMap((part, place): NamedInput[] => {
      const param = `messages[${index}].content[${place}]`;
      if (part.type === 'image_url') return [{ param, image: part.image_url.url }];
      if (part.type !== 'file') return [];
      return [{ param: `${param}.file`, data: part.file.file_data, fileId: part.file.file_id }];
    });
  });
}

/** Images and files of a response's input, those in tool outputs too. */
export function responsesInputs(items: readonly InputItem[]): NamedInput[] {
  return items.flatMap((item, index) => {
    const [field, content] =
      'output' in item
        ? ['output', item.output]
        : 'content' in item && 'role' in item
          ? ['content', item.content]
          : ['', ''];
    if (typeof content === 'string') return [];
    return content.flatMap((part, place): NamedInput[] => {
      const param = `input[${index}].${field}[${place}]`;
      if (part.type === 'input_image') return [{ param, image: part.image_url, fileId: part.file_id }];
      if (part.type !== 'input_file') return [];
      return [{ param, data: part.file_data, url: part.file_url, fileId: part.file_id }];
    });
  });
}

/** Refuses stored objects that a response's tools, prompt or conversation name and that aren't kept for this organisation. */
export function missingObject(
  body: ResponsesBody,
  organisation: string,
  objects: StoredObjects,
): Refusal | undefined {
  const missing = (what: string, id: string, param: string): Refusal | undefined =>
    objects.holds(organisation, id)
      ? undefined
      : { status: 404, message: `${what} with id '${id}' not found.`, param, code: null };
  // Nobody can make a prompt here, so there is none.
  if (body.prompt != null) return missing('Prompt', body.prompt.id, 'prompt.id');
  const conversation = conversationOf(body);
  if (conversation !== undefined) {
    // providers.md §4: `previous_response_id` not with `conversation`.
    if (body.previous_response_id != null) {
      return bad(
        "Mutually exclusive parameters: 'conversation' and 'previous_response_id'.",
        null,
        'mutually_exclusive_parameters',
      );
    }
    const refusal = missing('Conversation', conversation, 'conversation');
    if (refusal !== undefined) return refusal;
  }
  for (const [index, tool] of (body.tools ?? []).entries()) {
    if (tool.type === 'file_search' && 'vector_store_ids' in tool && Array.isArray(tool.vector_store_ids)) {
      for (const id of tool.vector_store_ids) {
        const refusal = missing('Vector store', String(id), `tools[${index}].vector_store_ids`);
        if (refusal !== undefined) return refusal;
      }
    }
    if (tool.type === 'code_interpreter' && 'container' in tool && typeof tool.container === 'string') {
      const refusal = missing('Container', tool.container, `tools[${index}].container`);
      if (refusal !== undefined) return refusal;
    }
  }
  return undefined;
}

/** The id of the conversation a response belongs to. */
export function conversationOf({ conversation }: ResponsesBody): string | undefined {
  return typeof conversation === 'string' ? conversation : conversation?.id;
}
