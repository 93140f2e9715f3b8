import { ConfigError, DependencyError } from "@postern/errors";

/** A user name or password that an account cannot have. */
export class AccountInputError extends ConfigError {
    constructor(detail: string) {
        super("ACCOUNT_INVALID", detail);
    }
}

/** A stored account that the key file does not open, or that holds something else than an account. */
export class AccountUnreadableError extends DependencyError {
    constructor(user: string, options?: { readonly cause?: unknown }) {
        super("ACCOUNT_UNREADABLE", `account "${user}" does not open with this key file`, options);
    }
}
