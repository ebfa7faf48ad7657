import { createHash } from 'node:crypto';
import { countTokens, FILE_TOKENS, IMAGE_TOKENS } from '../tokens.ts';
import type { Breakpoint } from './request-parts.ts';

/** A piece of the prompt no cache can end inside of. */
export interface Piece {
  text: string;
  /** What an image or file is known by; it is counted flat. */
  image?: string;
  file?: string;
  /** Counted elsewhere (reasoning). */
  tokens?: number;
  mark?: Breakpoint | null | undefined;
}

/** A message or item; `output` is a tool's. */
export interface PromptEntry {
  role: 'developer' | 'user' | 'assistant' | 'output';
  pieces: Piece[];
}

/** One piece in the order the model reads it. */
export interface Place {
  /** Tokens up to and with it. */
  upTo: number;
  /** Fingerprint of everything up to and with it. */
  chain: string;
  /** Ends a user message, a run of tool outputs or the initial developer run: an implicit breakpoint may stand here. */
  eligible: boolean;
  mark: Breakpoint | undefined;
}

export interface Layout {
  places: Place[];
  tokens: number;
  /** All text in order, images and files padded to their tokens: what interval caches compare. */
  text: string;
}

/** Lays a request out as tools → messages. */
export function layOut(tools: readonly string[], entries: readonly PromptEntry[]): Layout {
  const layout: Layout = { places: [], tokens: 0, text: '' };
  let chain = '';
  const texts: string[] = [];
  const add = (role: string, piece: Piece, eligible: boolean) => {
    const tokens = piece.tokens ?? tokensOf(piece);
    const identity = `${role} ${piece.text}${piece.image ?? ''}${piece.file ?? ''}`;
    chain = createHash('sha256').update(chain).update(identity).digest('base64url');
    layout.tokens += tokens;
    const isText = piece.tokens === undefined && piece.image === undefined && piece.file === undefined;
    texts.push(isText ? piece.text : identity.padEnd(tokens * 4).slice(0, tokens * 4));
    layout.places.push({ upTo: layout.tokens, chain, eligible, mark: piece.mark ?? undefined });
  };
  for (const tool of tools) add('tool', { text: tool }, false);
  const initialRun = entries.findIndex((entry) => entry.role !== 'developer');
  const lastOfInitialRun = (initialRun < 0 ? entries.length : initialRun) - 1;
  entries.forEach((entry, index) => {
    const eligible =
      entry.role === 'user' ||
      index === lastOfInitialRun ||
      (entry.role === 'output' && entries[index + 1]?.role !== 'output');
    entry.pieces.forEach((piece, place) => {
      add(entry.role, piece, eligible && place === entry.pieces.length - 1);
    });
  });
  layout.text = texts.join('');
  return layout;
}

function tokensOf(piece: Piece): number {
  if (piece.image !== undefined) return IMAGE_TOKENS;
  return piece.file === undefined ? countTokens(piece.text, 'plain') : FILE_TOKENS;
}
