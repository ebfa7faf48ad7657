/** A body as an endpoint that takes JSON or a form reads it. */
export interface RequestFields {
  /** Of a form: texts, and a list where a name comes more than once. */
  fields: Record<string, unknown>;
  /** The files of a form by their field. */
  files: Record<string, { name: string; content: Buffer }>;
}

/** Reads JSON (an object) or `multipart/form-data`; undefined where it is neither. */
export async function readFields(
  raw: Buffer,
  headers: Record<string, string>,
): Promise<RequestFields | undefined> {
  const type = headers['content-type'] ?? '';
  if (!type.startsWith('multipart/form-data')) return readObject(raw);
  let form: FormData;
  try {
    // A Buffer is over any kind of memory, and the fetch types want to know that it isn't shared.
    form = await new Response(new Uint8Array(raw), { headers: { 'content-type': type } }).formData();
  } catch {
    return undefined;
  }
  const read: RequestFields = { fields: {}, files: {} };
  for (const [field, value] of form) {
    const name = field.replace(/\[\]$/, '');
    if (typeof value !== 'string') {
      read.files[name] = { name: value.name, content: Buffer.from(await value.arrayBuffer()) };
      continue;
    }
    const before = read.fields[name];
    read.fields[name] = before === undefined ? value : [before, value].flat();
  }
  return read;
}

function readObject(raw: Buffer): RequestFields | undefined {
  if (raw.length === 0) return { fields: {}, files: {} };
  try {
    const value: unknown = JSON.parse(raw.toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value)
      ? { fields: { ...value }, files: {} }
      : undefined;
  } catch {
    return undefined;
  }
}
