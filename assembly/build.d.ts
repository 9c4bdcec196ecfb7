/** Given to the compiler by scripts/build-wasm.ts with `--use VERSION=…`; see src/version.ts. */
declare const VERSION: i32;
