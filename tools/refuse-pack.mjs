// The manifests in the working tree are for development (see pack.mjs); packed as they are, they would not work.

console.error("latchkey: run `npm run pack`, then publish the tarballs it names with `npm publish <file>`");
process.exit(1);
