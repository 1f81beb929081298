import type { Command } from 'commander';
import type { Context } from './context.ts';

/** How a command reaches a running rdi: RDI's global options, by commander's names. */
export interface ApiOptions {
  readonly apiUrl?: string;
  readonly user?: string;
  readonly password?: string;
  readonly cacert?: string;
  readonly insecure?: boolean;
  /** Name of a context in `~/.redis-di`. */
  readonly context?: string;
}

/** A running rdi. Paths begin with `/api/`. Every method throws ApiError, ConfigError or Interrupted. */
export interface Api {
  /** Where it is, without user and password. */
  readonly address: string;
  get<T>(path: string, query?: Readonly<Record<string, string | number | boolean | undefined>>): Promise<T>;
  send<T>(method: 'POST' | 'PUT' | 'PATCH' | 'DELETE', path: string, body?: unknown): Promise<T>;
  /** An answer of JSON lines, one after the other, as they come. */
  lines<T>(method: 'GET' | 'POST', path: string, body?: unknown, signal?: AbortSignal): AsyncIterable<T>;
}

/** Adds the options of {@link ApiOptions} to a command. */
export type WithApi = (command: Command) => Command;

/** The API that options, variables and the active context name, in this order; logs in where a user is given. */
export type ConnectApi = (context: Context, options: ApiOptions) => Promise<Api>;
