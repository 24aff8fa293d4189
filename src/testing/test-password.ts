/** The password of accounts that this kit makes. The usual policy takes it. */
export const testPassword = "correct horse battery staple";
