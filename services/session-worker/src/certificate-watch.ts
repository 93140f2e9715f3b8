// Looks at the certificate files now and then: a changed one serves new handshakes without a restart.
import type { Logger } from "@postern/telemetry";
import type { CertificateStore, LoadedCertificate } from "./certificates.ts";

/** Returns how to stop looking.  A bad new file is said once, and the old certificates go on. */
export function watchCertificates(
    store: Pick<CertificateStore, "reload">,
    interval: number,
    log: Pick<Logger, "error">,
    onReload: (loaded: readonly LoadedCertificate[]) => void,
): () => void {
    const timer = setInterval(() => {
        let loaded: readonly LoadedCertificate[] | undefined;
        try {
            loaded = store.reload();
        } catch (error) {
            log.error({ error }, "the changed certificate files are not usable; the old ones are served on");
        }
        if (loaded !== undefined) onReload(loaded);
    }, interval);
    return () => clearInterval(timer);
}
