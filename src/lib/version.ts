import packageFile from '../../package.json' with { type: 'json' };

/** The version of this program, as `package.json` names it; bundlers put the text in its place. */
export const VERSION: string = packageFile.version;
