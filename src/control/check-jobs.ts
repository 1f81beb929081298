/** What is wrong with job files, found without running them; for `rdi validate`. */
export { checkJobs } from '../transform/index.ts';
