/** Where this file is. It is one of its own in the package: where the package has become a part of another file, it is in that one, under another name. */
export const place: string | undefined = import.meta.url;
