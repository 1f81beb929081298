/**
 * Loaded into rdi before anything else (`node --import`): sets its clock off by as many ms as the file named in
 * `CLOCK_OFFSET_FILE` says, and follows the file while rdi runs.
 */
import { readFileSync } from 'node:fs';

const file = process.env['CLOCK_OFFSET_FILE'] as string;
const realNow = Date.now;
let offset = Number(readFileSync(file, 'utf8'));
setInterval(() => {
  offset = Number(readFileSync(file, 'utf8'));
}, 20).unref();
Date.now = () => realNow() + offset;
