// Drafts live as long as the login: whoever uses this browser next must not find them.
for (const key of Object.keys(sessionStorage)) {
  if (key.startsWith("desk-draft-")) sessionStorage.removeItem(key);
}
