// Passwords that nobody has to think up.
import { randomInt } from "node:crypto";

/** Without what looks alike: they are read from a screen and typed into phones. */
const ALPHABET = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const LENGTH = 20;

/** 20 random letters and digits: 116 bits. */
export const generatePassword = (): string =>
    Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
