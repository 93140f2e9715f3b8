// Certificate files of a test's own, which it may replace.
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { createCertificateAuthority, createTemporaryDirectory, type CertificateAuthority } from "@postern/testkit";

export type Names = readonly [string, ...string[]];

export class CertificateFolder implements AsyncDisposable {
    readonly ca: string;
    readonly #authority: CertificateAuthority;
    readonly #path: string;
    readonly #release: () => PromiseLike<void>;

    private constructor(authority: CertificateAuthority, folder: string, release: () => PromiseLike<void>) {
        this.ca = authority.cert;
        this.#authority = authority;
        this.#path = folder;
        this.#release = release;
    }

    static async create(): Promise<CertificateFolder> {
        const directory = await createTemporaryDirectory("certificates");
        const authority = await createCertificateAuthority();
        return new CertificateFolder(authority, directory.path, () => directory[Symbol.asyncDispose]());
    }

    /** Issues a certificate into `<name>.pem` and `<name>.key`, as a renewal does: by renaming. */
    async write(name: string, names: Names, keyType: "rsa" | "ecdsa" = "ecdsa") {
        const { cert, key, der } = await this.#authority.issue({ names, keyType });
        const files = this.pair(name);
        this.replace(files.certificate, cert);
        this.replace(files.key, key);
        return { ...files, der };
    }

    pair(name: string): { readonly certificate: string; readonly key: string } {
        return { certificate: path.join(this.#path, `${name}.pem`), key: path.join(this.#path, `${name}.key`) };
    }

    path(file: string): string {
        return path.join(this.#path, file);
    }

    read(file: string): string {
        return readFileSync(this.path(file), "utf8");
    }

    replace(file: string, content: string): void {
        writeFileSync(`${file}.new`, content, { mode: 0o600 });
        renameSync(`${file}.new`, file);
    }

    remove(file: string): void {
        rmSync(file);
    }

    async [Symbol.asyncDispose](): Promise<void> {
        await this.#release();
    }
}
