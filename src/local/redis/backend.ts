/**
 * A string of bytes: each character is one byte (Latin-1), so that values need not be UTF-8.
 * Keys, values and arguments are all kept so.
 */
export type Bytes = string;

/** A name and its arguments. */
export type RedisCommand = Bytes[];

/** A status such as `OK`, which Redis tells apart from a string of the same letters. */
export class RedisStatus {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

/** Redis's own error; its message starts with a code: `ERR …`, `WRONGTYPE …`. */
export class RedisError extends Error {
  override name = 'RedisError';
}

export type RedisReply = Bytes | number | null | RedisStatus | RedisReply[];

/** A Redis that the REST server can stand in front of. */
export interface RedisBackend {
  /** Each command after the other; one that fails leaves the rest alone. */
  pipeline(commands: RedisCommand[]): Promise<(RedisReply | RedisError)[]>;
  /** One transaction. @throws RedisError if a command is malformed: then none ran. */
  multi(commands: RedisCommand[]): Promise<(RedisReply | RedisError)[]>;
  close(): Promise<void>;
}
