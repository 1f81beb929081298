import { NumberText, type Operation } from '../../types.ts';
import type { JobObject, JobValue } from '../expressions/types.ts';
import { compactJson } from '../expressions/values.ts';
import type { FieldPath } from './definition.ts';
import { BlockFailure, type RunnableExpression } from './evaluation.ts';
import { copyLevel, evaluateWatched, isIncomplete, NOT_DELIVERED, PartialObject } from './partial-object.ts';

const OPERATIONS: readonly string[] = ['c', 'u', 'd', 'r'] satisfies Operation[];

/** The operation that a record's `opcode` names, or `known` when it names none. Throws {@link BlockFailure}. */
export function operationOf(opcode: JobValue | undefined, known: Operation): Operation {
  if (opcode === undefined || opcode === null) return known;
  if (typeof opcode === 'string' && OPERATIONS.includes(opcode)) return opcode as Operation;
  throw new BlockFailure(
    'TRANSFORM_FAILED',
    `the opcode of the record has become ${compactJson(opcode)}. It must be one of c, u, d and r`,
  );
}

/**
 * One record on its way through the blocks of a job: what expressions see, changed by paths.
 *
 * Values are shared between records, with literals and caches, so an object is copied before its first change and is then
 * ours; it stops being ours when an expression may have handed it out.
 */
export class JobRecord {
  /** What expressions see. */
  root: JobObject;
  /** Whether it has `before`, `after`, `opcode` …; otherwise it is the row itself. */
  isFull: boolean;
  /** What a row does whose record does not say it itself. */
  operation: Operation;
  /** Whether some object in it lacks columns. */
  hasMissing: boolean;
  #ownsRoot = true;
  #owned: JobObject[] | null;

  /** `owned` are objects inside `root` that belong to this record alone. */
  constructor(root: JobObject, isFull: boolean, operation: Operation, hasMissing: boolean, owned: JobObject[] | null) {
    this.root = root;
    this.isFull = isFull;
    this.operation = operation;
    this.hasMissing = hasMissing;
    this.#owned = owned;
  }

  /**
   * The value for this record, or that it depends on a column that was not delivered.
   * @throws BlockFailure
   */
  evaluate(expression: RunnableExpression): JobValue | typeof NOT_DELIVERED {
    let value: JobValue;
    try {
      if (this.hasMissing) {
        const watched = evaluateWatched(expression.uncached, this.root);
        if (watched.use !== 'none') return NOT_DELIVERED;
        value = watched.value;
      } else value = expression.evaluate(this.root);
    } catch (error) {
      throw BlockFailure.of(error, expression.text);
    }
    if (typeof value === 'object') this.#handOut(value, expression.reads === null);
    return value;
  }

  /** Nothing inside may be changed in place any more, because somebody else has it now. */
  share(): JobObject {
    this.#ownsRoot = false;
    this.#owned = null;
    return this.root;
  }

  /** The record is another object from now on; `isOurs` tells whether nobody else has it. */
  replace(root: JobObject, isOurs: boolean): void {
    this.root = root;
    this.#ownsRoot = isOurs;
    this.#owned = null;
    this.hasMissing &&= isIncomplete(root);
  }

  /** The record is the row alone from now on; what it does stays what `opcode` said last. Throws {@link BlockFailure}. */
  flatten(opcode: JobValue | undefined): void {
    this.operation = operationOf(opcode, this.operation);
    this.isFull = false;
  }

  /** Sets a value, creating the objects on the way and replacing what is no object there. */
  set(path: FieldPath, value: JobValue): void {
    if (this.hasMissing && path.length >= this.#columnDepth(path) && isIncomplete(value)) this.leaveOut(path);
    else if (path.length === 1) this.#ownRoot().set(path[0]!, value);
    else this.#parentOf(path)?.set(path[path.length - 1]!, value);
  }

  /** Marks the column that holds the path as not delivered: a part of a column cannot be left out alone. */
  leaveOut(path: FieldPath): void {
    const depth = Math.min(path.length, this.#columnDepth(path));
    const name = path[depth - 1]!;
    let parent = depth === 1 ? this.#ownRoot() : this.#parentOf(path.slice(0, depth));
    if (parent === null) return;
    if (!(parent instanceof PartialObject)) {
      parent = new PartialObject(parent, [], false);
      if (depth === 1) this.root = parent;
      else {
        this.#ownRoot().set(path[0]!, parent);
        this.#owned?.push(parent);
      }
    }
    (parent as PartialObject).leaveOut(name);
    this.hasMissing = true;
  }

  /** Removes what is at the path; nothing happens when there is nothing. */
  remove(path: FieldPath): void {
    if (this.find(path) === undefined) return;
    if (path.length === 1) this.#ownRoot().delete(path[0]!);
    else this.#parentOf(path)?.delete(path[path.length - 1]!);
  }

  /** Moves what is at one path to another one; nothing happens when there is nothing. */
  rename(from: FieldPath, to: FieldPath): void {
    const value = this.find(from);
    if (value === undefined) return;
    if (value !== NOT_DELIVERED) {
      this.remove(from);
      this.set(to, value);
      return;
    }
    if (from.length <= this.#columnDepth(from)) this.remove(from);
    this.leaveOut(to);
  }

  /** What is at the path: undefined when nothing is. */
  find(path: FieldPath): JobValue | undefined | typeof NOT_DELIVERED {
    let value: JobValue | undefined = this.root;
    for (const name of path) {
      if (!(value instanceof Map)) return undefined;
      if (value instanceof PartialObject && value.lacks(name)) return NOT_DELIVERED;
      value = value.get(name);
      if (value === undefined) return undefined;
    }
    return value;
  }

  /** How many names lead to a column: `after.email` in a full record, else `email`. */
  #columnDepth(path: FieldPath): number {
    return this.isFull && (path[0] === 'after' || path[0] === 'before') ? 2 : 1;
  }

  #handOut(value: object | null, isPerhapsWhole: boolean): void {
    if (value === null || value instanceof NumberText) return;
    this.#owned = null;
    if (isPerhapsWhole) this.#ownsRoot = false;
  }

  #ownRoot(): JobObject {
    if (!this.#ownsRoot) {
      this.root = copyLevel(this.root);
      this.#ownsRoot = true;
    }
    return this.root;
  }

  /** The object that holds the last name of a path, ours to change; null inside a column that was not delivered. */
  #parentOf(path: FieldPath): JobObject | null {
    let parent = this.#ownRoot();
    this.#owned ??= [];
    for (let i = 0; i < path.length - 1; i++) {
      const name = path[i]!;
      if (parent instanceof PartialObject && parent.lacks(name)) return null;
      const child = parent.get(name);
      let ours: JobObject;
      if (!(child instanceof Map)) ours = new Map();
      else if (this.#owned.includes(child)) ours = child;
      else ours = copyLevel(child);
      if (ours !== child) {
        parent.set(name, ours);
        this.#owned.push(ours);
      }
      parent = ours;
    }
    return parent;
  }
}
