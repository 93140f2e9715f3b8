// Looks at the certificate files now and then: a changed one serves new handshakes without a restart.
import { statSync } from "node:fs";
import type { Logger } from "@postern/telemetry";
import type { CertificateFiles, CertificateStore, LoadedCertificate } from "./certificates.ts";

/** Returns how to stop looking.  A bad new file is said once and the old certificate goes on. */
export function watchCertificates(
    tls: { readonly certificates: readonly CertificateFiles[]; readonly reloadInterval: number },
    store: CertificateStore,
    log: Logger,
    onReload: (loaded: readonly LoadedCertificate[]) => void,
): () => void {
    const files = tls.certificates.flatMap(({ pairs }) => pairs.flatMap(({ certificate, key }) => [certificate, key]));
    // Modification times and inodes: a renewal that is put in place by renaming keeps neither.
    const fingerprint = (): string => files.map((file) => describeFile(file)).join();
    let seen = fingerprint();
    const timer = setInterval(() => {
        const now = fingerprint();
        if (now === seen) return;
        seen = now;
        try {
            onReload(store.reload());
        } catch (error) {
            log.error({ error }, "the changed certificate files are not usable; the old ones are served on");
        }
    }, tls.reloadInterval);
    return () => clearInterval(timer);
}

function describeFile(file: string): string {
    const stat = statSync(file, { throwIfNoEntry: false });
    return stat === undefined ? "missing" : `${stat.ino}:${stat.mtimeMs}:${stat.size}`;
}
