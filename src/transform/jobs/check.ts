import type { JobFile } from '../../config/index.ts';
import type { ConfigProblem } from '../../errors.ts';
import { compileJmespath } from '../expressions/jmespath.ts';
import { compileSql } from '../expressions/sql.ts';
import { ExpressionSyntaxError } from '../expressions/types.ts';

type Path = readonly PropertyKey[];
type Mapping = Readonly<Record<string, unknown>>;

const BLOCKS = ['add_field', 'filter', 'map', 'redis.lookup', 'remove_field', 'rename_field'];
const LANGUAGES = ['jmespath', 'sql'];

/**
 * Compiles every expression of the job files, and says of each that can never work where it stands and why. All problems
 * at once; nothing is run. Grammar of jobs: spec/jobs.md §6, §7; of expressions: spec/expressions.md.
 */
export function checkJobs(jobs: readonly JobFile[]): ConfigProblem[] {
  return jobs.flatMap((job) => new JobCheck(job).problems);
}

class JobCheck {
  readonly problems: ConfigProblem[] = [];
  readonly #job: JobFile;

  constructor(job: JobFile) {
    this.#job = job;
    const { transform, output, key } = job.content;
    for (const [i, block] of list(transform).entries()) this.#block(block, ['transform', i]);
    for (const [i, writer] of list(output).entries()) this.#output(writer, ['output', i]);
    if (isMapping(key)) this.#expression(key, ['key']);
  }

  #block(block: unknown, path: Path): void {
    if (!isMapping(block) || !isMapping(block['with'])) {
      this.#report(path, 'a block is written {uses: <block>, with: {…}}');
      return;
    }
    const { uses, with: options } = block;
    const inside = [...path, 'with'];
    if (typeof uses !== 'string' || !BLOCKS.includes(uses)) {
      this.#report([...path, 'uses'], `there is no block "${String(uses)}"; there are ${BLOCKS.join(', ')}`);
    } else if (uses === 'filter') this.#expression(options, inside);
    else if (uses === 'map') this.#map(options, inside);
    else if (uses === 'redis.lookup') this.#lookup(options, inside);
    else if (uses === 'add_field') {
      if (options['fields'] === undefined) this.#expression(options, inside);
      for (const [i, field] of list(options['fields']).entries()) {
        if (isMapping(field)) this.#expression(field, [...inside, 'fields', i]);
      }
    }
  }

  #output(writer: unknown, path: Path): void {
    if (!isMapping(writer) || !isMapping(writer['with'])) return;
    for (const name of ['key', 'expire']) {
      const value = writer['with'][name];
      if (isMapping(value)) this.#expression(value, [...path, 'with', name]);
    }
  }

  #lookup(options: Mapping, path: Path): void {
    const language = this.#language(options, path);
    for (const [i, argument] of list(options['args']).entries()) {
      if (language) this.#compile(argument, language, [...path, 'args', i]);
    }
    if (isMapping(options['when'])) this.#expression(options['when'], [...path, 'when']);
  }

  #map(options: Mapping, path: Path): void {
    const language = this.#language(options, path);
    const { expression } = options;
    const at = [...path, 'expression'];
    if (!language) return;
    if (isMapping(expression)) this.#fields(expression, language, at);
    else if (language === 'sql') this.#sqlObject(expression, at);
    else this.#compile(expression, language, at);
  }

  /** Field by field: values are expressions; in JMESPath they may be nested. */
  #fields(fields: Mapping, language: string, path: Path): void {
    for (const [name, value] of Object.entries(fields)) {
      if (isMapping(value) && language === 'jmespath') this.#fields(value, language, [...path, name]);
      else this.#compile(value, language, [...path, name]);
    }
  }

  /** A map in SQL is an object of expressions, which may also be given as JSON text. */
  #sqlObject(expression: unknown, path: Path): void {
    let fields: unknown;
    try {
      fields = JSON.parse(String(expression));
    } catch {
      fields = undefined;
    }
    if (!isMapping(fields)) {
      this.#report(path, 'a map in SQL is an object: a field and its expression on each line');
      return;
    }
    for (const value of Object.values(fields)) this.#compile(value, 'sql', path);
  }

  #expression(options: Mapping, path: Path): void {
    const language = this.#language(options, path);
    if (language) this.#compile(options['expression'], language, [...path, 'expression']);
  }

  #language(options: Mapping, path: Path): string | null {
    const { language } = options;
    if (typeof language === 'string' && LANGUAGES.includes(language)) return language;
    this.#report([...path, 'language'], `"language" is jmespath or sql, not ${JSON.stringify(language) ?? 'left out'}`);
    return null;
  }

  #compile(expression: unknown, language: string, path: Path): void {
    // YAML reads a bare number or boolean as such; written as an expression it is its text.
    if (typeof expression === 'object' || expression === undefined) {
      this.#report(path, 'an expression is a text');
      return;
    }
    try {
      if (language === 'sql') compileSql(String(expression));
      else compileJmespath(String(expression));
    } catch (error) {
      if (!(error instanceof ExpressionSyntaxError)) throw error;
      this.#report(path, `${error.message} (${language}, character ${error.offset + 1})`);
    }
  }

  #report(path: Path, message: string): void {
    const { file } = this.#job;
    this.problems.push({ file, ...this.#job.locate(path), message });
  }
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
