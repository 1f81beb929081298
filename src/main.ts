import { main } from './cli/index.ts';

main(process.argv.slice(2)).then((exitCode) => {
  process.exitCode = exitCode;
});
