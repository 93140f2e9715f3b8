export {
    changeAccount,
    changePassword,
    createAccount,
    openAccount,
    type Account,
    type AccountChanges,
    type AccountCipher,
    type NewAccount,
} from "./account.ts";
export { canonicalName, MAX_NAME_LENGTH, type NameRules } from "./account-name.ts";
export { AccountInputError, AccountUnreadableError } from "./errors.ts";
export { generatePassword } from "./generate-password.ts";
export { hashPassword, verifyPassword, type PasswordHash } from "./password-hash.ts";
